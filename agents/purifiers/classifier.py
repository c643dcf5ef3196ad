"""Routing by a classifier over teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .head import HeadRouter
from .labels import Labels

if TYPE_CHECKING:
    import torch

HIDDEN = 128
NEVER = -1e9
"""Logit of a teacher that was not asked: it is neither right nor wrong."""


class ClassifierRouter(HeadRouter):
    """Two layers over the encoder's vector and a softmax over teachers.

    Knowledge Purification's third purifier (arXiv 2602.01064); there the encoder is mDeBERTaV3-base and trained too,
    here it is fixed. Where several teachers are right, the target is spread over them evenly; cross-entropy.
    """

    name = "classifier"

    def _make(self, size: int, teachers: int) -> torch.nn.Module:
        from torch import nn

        return nn.Sequential(nn.Linear(size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, teachers))

    def _size(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> int:
        return int(arrays["0.weight"].shape[1])

    def _targets(self, labels: Labels, vectors: torch.Tensor) -> Sequence[torch.Tensor]:
        import torch

        right, asked = torch.from_numpy(np.nan_to_num(labels.right)), torch.from_numpy(~np.isnan(labels.right))
        return [right / right.sum(1, keepdim=True), asked]

    def _loss(self, network: torch.nn.Module, vectors: torch.Tensor, targets: Sequence[torch.Tensor]) -> torch.Tensor:
        from torch.nn.functional import cross_entropy

        shares, asked = targets
        return cross_entropy(network(vectors).masked_fill(~asked, NEVER), shares)
