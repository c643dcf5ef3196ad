"""Routing by likeness to a key that is learnt for each teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .head import HeadRouter
from .labels import Labels

if TYPE_CHECKING:
    import torch

GROUPS = 8
"""Groups of questions, found by k-means over the encoder's vectors."""
SCALE = 10.0
"""What cosines are multiplied by before a softmax (a temperature of 0.1)."""


class SimilarityRouter(HeadRouter):
    """Compares a question with a trained key of each teacher: a softmax over cosines.

    Knowledge Purification's fourth purifier (arXiv 2602.01064), trained by RouterDC's two contrastive losses
    (arXiv 2409.19886, section 3.2): each right teacher against the wrong ones,

        -log exp(cos(q, k+)) / (exp(cos(q, k+)) + sum over wrong ones exp(cos(q, k-))),

    and each question against those of other groups, a question of its own group being the positive. RouterDC trains its
    encoder; here it is fixed and a linear map over it is trained. RouterDC draws one positive and some negatives for
    each question, here all are taken. `SCALE` is 1 there.
    """

    name = "similarity"

    def _make(self, size: int, teachers: int) -> torch.nn.Module:
        return _network(size, teachers)

    def _size(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> int:
        return int(arrays["keys"].shape[1])

    def _targets(self, labels: Labels, vectors: torch.Tensor) -> Sequence[torch.Tensor]:
        import torch
        from scipy.cluster.vq import kmeans2

        right = torch.from_numpy(labels.right)
        distinct = len(np.unique(vectors.numpy().round(4), axis=0))
        _, groups = kmeans2(vectors.double().numpy(), min(GROUPS, distinct), minit="++", seed=self.seed)
        return [right == 1, right == 0, torch.from_numpy(groups)]

    def _loss(self, network: torch.nn.Module, vectors: torch.Tensor, targets: Sequence[torch.Tensor]) -> torch.Tensor:
        from torch.nn.functional import normalize

        right, wrong, groups = targets
        mapped = normalize(network.map(vectors), dim=1)  # type: ignore[operator]
        likeness = SCALE * mapped @ mapped.T
        return teacher_loss(network(vectors), right, wrong) + question_loss(likeness, groups)


def teacher_loss(logits: torch.Tensor, right: torch.Tensor, wrong: torch.Tensor) -> torch.Tensor:
    """Return the loss of each right teacher against the wrong ones, on the mean over questions.

    Args:
        logits: [questions, teachers].
        right: Which teachers were right, [questions, teachers].
        wrong: Which were wrong; one that was not asked is neither.
    """
    import torch

    against = logits.masked_fill(~wrong, -torch.inf).logsumexp(1, keepdim=True)
    losses = torch.logaddexp(logits, against) - logits
    return (losses * right).sum(1).mean()


def question_loss(likeness: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Return the loss of each pair of one group against all questions of other groups, on the mean over questions.

    Args:
        likeness: Logits, [questions, questions].
        groups: Each question's group, [questions].
    """
    import torch

    alike = groups[:, None] == groups[None, :]
    pairs = alike & ~torch.eye(len(groups), dtype=torch.bool)
    against = likeness.masked_fill(alike, -torch.inf).logsumexp(1, keepdim=True)
    losses = torch.where(pairs, torch.logaddexp(likeness, against) - likeness, 0.0)
    return (losses.sum(1) / pairs.sum(1).clamp(min=1)).mean()


def _network(size: int, teachers: int) -> torch.nn.Module:
    import torch
    from torch import nn
    from torch.nn.functional import normalize

    class Keys(nn.Module):
        """A linear map of questions, and a key for each teacher."""

        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Linear(size, size, bias=False)
            nn.init.eye_(self.map.weight)
            self.keys = nn.Parameter(torch.randn(teachers, size))

        def forward(self, vectors: torch.Tensor) -> torch.Tensor:
            return SCALE * normalize(self.map(vectors), dim=1) @ normalize(self.keys, dim=1).T

    return Keys()
