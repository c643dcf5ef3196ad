"""Routing by likeness to a key that is learnt for each teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .head import HeadRouter
from .labels import Labels

if TYPE_CHECKING:
    import torch

GROUPS = 8
"""Groups of questions, found by k-means over the encoder's vectors."""
SCALE = 10.0
"""What cosines are multiplied by before a softmax (a temperature of 0.1)."""


class Targets(NamedTuple):
    """What the dual loss goes by."""

    right: torch.Tensor
    """Whether a teacher was right, [questions, teachers]."""
    wrong: torch.Tensor
    same: torch.Tensor
    """Whether two questions are of one group, and not the same one, [questions, questions]."""


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

    def _targets(self, labels: Labels, vectors: torch.Tensor) -> Targets:
        import torch
        from sklearn.cluster import KMeans

        right = torch.from_numpy(labels.right)
        groups = KMeans(min(GROUPS, len(vectors)), n_init=1, random_state=self.seed).fit_predict(vectors.numpy())
        same = torch.from_numpy(groups[:, None] == groups[None, :]) & ~torch.eye(len(vectors), dtype=torch.bool)
        return Targets(right == 1, right == 0, same)

    def _loss(self, network: torch.nn.Module, vectors: torch.Tensor, targets: Targets) -> torch.Tensor:
        from torch.nn.functional import normalize

        mapped = normalize(network.map(vectors), dim=1)  # type: ignore[operator]
        likeness = SCALE * mapped @ mapped.T
        return teacher_loss(network(vectors), targets) + question_loss(likeness, targets.same)


def teacher_loss(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Return the loss of each right teacher against the wrong ones, on the mean over questions.

    Args:
        logits: [questions, teachers].
        targets: At least one teacher is right and one wrong in each row.
    """
    import torch

    against = logits.masked_fill(~targets.wrong, -torch.inf).logsumexp(1, keepdim=True)
    losses = torch.logaddexp(logits, against) - logits
    return (losses * targets.right).sum(1).mean()


def question_loss(likeness: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Return the loss of each pair of one group against all questions of other groups, on the mean over questions.

    Args:
        likeness: Logits, [questions, questions].
        same: Which pairs are of one group, a question and itself left out.
    """
    import torch

    others = ~same & ~torch.eye(len(same), dtype=torch.bool)
    against = likeness.masked_fill(~others, -torch.inf).logsumexp(1, keepdim=True)
    losses = torch.where(same, torch.logaddexp(likeness, against) - likeness, 0.0)
    return (losses.sum(1) / same.sum(1).clamp(min=1)).mean()


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
