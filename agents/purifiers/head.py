"""The base of routers that train a small network over the encoder's vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .labels import Floats, Labels
from .router import Router

if TYPE_CHECKING:
    import torch

STEPS = 300
"""Of AdamW."""
BATCH = 128
"""Questions a step."""
RATE = 1e-2
DECAY = 1e-3


class HeadRouter(Router):
    """Trains a network that gives each teacher a logit; the chances are their softmax."""

    _network: torch.nn.Module | None = None

    def _learn(self, vectors: Floats, labels: Labels) -> None:
        import torch

        if not len(vectors):
            self._network = None
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = self._make(vectors.shape[1], len(labels.teachers))
            self._train(network, torch.from_numpy(vectors), labels)
        self._network = network.eval()

    def _train(self, network: torch.nn.Module, vectors: torch.Tensor, labels: Labels) -> None:
        import torch

        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        targets = self._targets(labels, vectors)
        for _ in range(STEPS):
            rows = torch.randperm(len(vectors))[:BATCH]
            optimiser.zero_grad()
            loss = self._loss(network, vectors[rows], [target[rows] for target in targets])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def _chances(self, vectors: Floats) -> Floats:
        import torch

        if self._network is None:
            return np.full((len(vectors), len(self.teachers)), 1 / len(self.teachers), np.float32)
        with torch.inference_mode():
            return np.asarray(self._network(torch.from_numpy(vectors)).softmax(1).numpy(), np.float32)

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        state = {} if self._network is None else self._network.state_dict()
        return {name: tensor.numpy() for name, tensor in state.items()}

    def _take_up(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        import torch

        if not arrays:
            self._network = None
            return
        network = self._make(self._size(arrays), len(self.teachers))
        network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self._network = network.eval()

    @abstractmethod
    def _make(self, size: int, teachers: int) -> torch.nn.Module:
        """Return a fresh network from vectors, [questions, size], to logits, [questions, teachers]."""

    @abstractmethod
    def _size(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> int:
        """Return the length of the vectors that a saved network takes."""

    @abstractmethod
    def _targets(self, labels: Labels, vectors: torch.Tensor) -> Sequence[torch.Tensor]:
        """Turn labels into what the loss goes by: tensors with a row for each question."""

    @abstractmethod
    def _loss(self, network: torch.nn.Module, vectors: torch.Tensor, targets: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the loss over some labelled questions, given their rows of the targets."""
