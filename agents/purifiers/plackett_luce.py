"""Routing by Plackett-Luce strengths, estimated anew for each question from those that are like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import InputError
from .labels import Floats, Labels
from .router import Router

STEPS, STEADY = 500, 1e-5
"""The iteration ends after so many steps, or when no strength changes by more than this share."""
PRIOR = 0.1
"""Weight of a win and a loss of each teacher against one of strength 1: one that always won stays finite."""


class PlackettLuceRouter(Router):
    """Chooses the teacher with the greatest strength on labelled questions that are like this one.

    Knowledge Purification's second purifier (arXiv 2602.01064), P(teacher i | question) = exp(xi_i) / sum_j exp(xi_j).
    On a labelled question every right teacher is ranked before the wrong ones: it is chosen from itself and them. The
    likelihood of these choices is weighted with gamma^(1 + cos(e, e')), e and e' being the questions' vectors, as in
    RouteLLM (arXiv 2406.18665, similarity-weighted ranking), and maximised by Hunter's iteration (2004, "MM algorithms
    for generalized Bradley-Terry models", section 5). Nothing is trained: fitting keeps the labelled questions.
    """

    name = "plackett_luce"

    def __init__(self, gamma: float = 1e4, encoder: str = "static", least: int = 50, seed: int = 0) -> None:
        """Choose how much likeness counts.

        Args:
            gamma: Base of the weights: a question that is wholly alike counts gamma times as much as an unlike one.
            encoder: An embedder by name: what a question is turned into.
            least: Questions with labels of two teachers or more that it must be fitted on before it decides anything.
            seed: Unused; nothing is drawn.

        Raises:
            InputError: If `gamma` is below 1 or `least` is not positive.
        """
        super().__init__(encoder, least, seed)
        if gamma < 1:
            raise InputError(f"purifier plackett_luce: gamma {gamma} is out of range; give at least 1")
        self.gamma = gamma
        self._known: Floats = np.zeros((0, 0), np.float32)
        self._right: Floats = np.zeros((0, 0), np.float32)
        self._patterns: Floats = np.zeros((0, 0), np.float32)
        self._pattern_of: np.ndarray[Any, Any] = np.zeros(0, int)

    def _learn(self, vectors: Floats, labels: Labels) -> None:
        self._keep(_unit(vectors), labels.right)

    def _keep(self, known: Floats, right: Floats) -> None:
        """Keep labelled questions; those with the same teachers right and wrong count as one to the strengths."""
        self._known, self._right = known, right
        marks = np.nan_to_num(right, nan=-1.0)
        self._patterns, pattern_of = np.unique(marks, axis=0, return_inverse=True)
        self._pattern_of = pattern_of.reshape(-1)

    def _chances(self, vectors: Floats) -> Floats:
        if not len(self._known):
            return np.full((len(vectors), len(self.teachers)), 1 / len(self.teachers), np.float32)
        likeness = _unit(vectors) @ self._known.T
        weights = self.gamma ** (likeness - likeness.max(1, keepdims=True))  # the factor in common does not count
        return np.stack([self._strengths(row) for row in weights])

    def _strengths(self, weights: Floats) -> Floats:
        """Return the strengths, adding up to 1, under a weight for each labelled question, [teachers]."""
        right, wrong = self._patterns == 1, self._patterns == 0
        summed = np.bincount(self._pattern_of, weights, len(self._patterns))
        strengths = np.ones(right.shape[1])
        wins = summed @ right + PRIOR
        for _ in range(STEPS):
            against = wrong @ strengths  # of all that a right teacher was chosen before, [patterns]
            met = np.where(right, summed[:, None] / (against[:, None] + strengths), 0.0)  # [patterns, teachers]
            denominators = met.sum(0) + wrong.T @ met.sum(1) + 2 * PRIOR / (1 + strengths)
            before, strengths = strengths, wins / denominators
            if np.abs(strengths / before - 1).max() < STEADY:
                break
        return np.asarray(strengths / strengths.sum(), np.float32)

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        return {"known": self._known, "right": self._right}

    def _take_up(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._keep(arrays["known"], arrays["right"])


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)
