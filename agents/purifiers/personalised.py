"""Routing by what is both good and easy to learn for this student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from .head import HeadRouter
from .labels import Labels

if TYPE_CHECKING:
    import torch


class PersonalisedRouter(HeadRouter):
    """A Bradley-Terry router over rewards that know the student.

    PerSyn (arXiv 2510.10925): reward = (1 - a) quality + a learnability, with a = 0.4. Quality is whether the teacher
    was right, learnability the student's mean log-likelihood of what it wrote, here brought to [0, 1] over the
    question's teachers so that the two can be weighed. On each pair of teachers with unlike rewards the router learns

        P(i before j | question) = sigmoid(f_i(question) - f_j(question)).

    PerSyn's router is a Qwen2.5-1.5B; here f is linear over the encoder's vector.
    """

    name = "personalised"
    needs_likelihoods = True

    def __init__(self, learnability: float = 0.4, encoder: str = "static", least: int = 50, seed: int = 0) -> None:
        """Weigh what is easy against what is right.

        Args:
            learnability: PerSyn's a, in [0, 1].
            encoder: An embedder by name: what a question is turned into. It is not trained.
            least: Questions with labels of two teachers or more that it must be fitted on before it decides anything.
            seed: Of what is drawn when it is fitted.

        Raises:
            InputError: If `learnability` is not in [0, 1], or `least` is not positive.
        """
        super().__init__(encoder, least, seed)
        if not 0 <= learnability <= 1:
            raise InputError(f"purifier personalised: learnability {learnability} is out of range; give 0 to 1")
        self.learnability = learnability

    def telling(self, labels: Labels) -> Labels:
        """Return the questions on which teachers got unlike rewards: where all are right, one may be easier."""
        return labels.only(np.asarray(_better(self.rewards(labels)).any((1, 2))))

    def rewards(self, labels: Labels) -> np.ndarray[Any, Any]:
        """Return the rewards, nan where a teacher was not asked, [questions, teachers]."""
        if not labels.questions:
            return np.zeros_like(labels.right)
        low = np.nanmin(np.nan_to_num(labels.learnability, nan=np.inf), 1, keepdims=True)
        high = np.nanmax(np.nan_to_num(labels.learnability, nan=-np.inf), 1, keepdims=True)
        span = np.where(high > low, high - low, 1.0)
        easy = np.nan_to_num((labels.learnability - low) / span)
        return np.asarray((1 - self.learnability) * labels.right + self.learnability * easy)

    def _make(self, size: int, teachers: int) -> torch.nn.Module:
        from torch import nn

        return nn.Linear(size, teachers)

    def _size(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> int:
        return int(arrays["weight"].shape[1])

    def _targets(self, labels: Labels, vectors: torch.Tensor) -> Sequence[torch.Tensor]:
        import torch

        return [torch.from_numpy(_better(self.rewards(labels))).float()]

    def _loss(self, network: torch.nn.Module, vectors: torch.Tensor, targets: Sequence[torch.Tensor]) -> torch.Tensor:
        from torch.nn.functional import softplus

        logits = network(vectors)
        gaps = logits[:, :, None] - logits[:, None, :]
        (better,) = targets  # [questions, teachers, teachers]
        return (softplus(-gaps) * better).sum() / better.sum().clamp(min=1)


def _better(rewards: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which teachers got more than which others, [questions, teachers, teachers]; nan is above nothing."""
    with np.errstate(invalid="ignore"):
        return np.asarray(rewards[:, :, None] > rewards[:, None, :])
