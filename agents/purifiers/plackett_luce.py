"""Routing by Plackett-Luce strengths, estimated anew for each question from those that are like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import InputError
from .labels import Floats, Labels
from .router import Router

STEPS, STEADY, LONGEST = 50, 1e-5, 2.0
"""Newton's method ends after so many steps, or when no xi changes by more than this; none moves farther at once."""
PRIOR = 0.1
"""Weight of a win and a loss of each teacher against one of strength 1: one that always won stays finite."""
NOTHING: Floats = np.zeros((0, 0), np.float32)


class PlackettLuceRouter(Router):
    """Chooses the teacher with the greatest strength on labelled questions that are like this one.

    Knowledge Purification's second purifier (arXiv 2602.01064), P(teacher i | question) = exp(xi_i) / sum_j exp(xi_j).
    On a labelled question every right teacher is ranked before the wrong ones: it is chosen from itself and them. The
    likelihood of these choices is weighted with gamma^(1 + cos(e, e')), e and e' being the questions' vectors, as in
    RouteLLM (arXiv 2406.18665, similarity-weighted ranking), and maximised by Newton's method. Nothing is trained:
    fitting keeps the labelled questions.
    """

    name = "plackett_luce"
    _known: Floats
    _right: Floats

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
        self._take_up({})

    def _learn(self, vectors: Floats, labels: Labels) -> None:
        self._keep(_unit(vectors), labels.right)

    def _keep(self, known: Floats, right: Floats) -> None:
        """Keep labelled questions; those with the same teachers right and wrong count as one to the strengths."""
        self._known, self._right = known, right
        marks, pattern_of = np.unique(np.nan_to_num(right, nan=-1.0), axis=0, return_inverse=True)
        self._pattern_of, self._choice_of = pattern_of.reshape(-1), np.nonzero(marks == 1)[0]
        self._chosen = np.eye(right.shape[1])[np.nonzero(marks == 1)[1]]  # [choices, teachers]
        self._among = self._chosen + (marks == 0)[self._choice_of]

    def _chances(self, vectors: Floats) -> Floats:
        if not len(self._known):
            return np.full((len(vectors), len(self.teachers)), 1 / len(self.teachers), np.float32)
        likeness = _unit(vectors) @ self._known.T
        # gamma^(1 + cos), scaled so that the nearest question weighs 1: `PRIOR` is meant against that.
        weights = self.gamma ** (likeness - likeness.max(1, keepdims=True))
        return np.stack([self._strengths(row) for row in weights])

    def _strengths(self, weights: Floats) -> Floats:
        """Return the strengths, adding up to 1, under a weight for each labelled question, [teachers]."""
        counts = np.bincount(self._pattern_of, weights, self._pattern_of.max() + 1)[self._choice_of, None]
        xi = np.zeros(self._right.shape[1])
        for _ in range(STEPS):
            chances = self._among * np.exp(xi)
            chances /= chances.sum(1, keepdims=True)  # [choices, teachers]
            expected, even = counts * chances, 1 / (1 + np.exp(-xi))
            slope = (counts * self._chosen - expected).sum(0) + PRIOR * (1 - 2 * even)
            curve = np.diag(expected.sum(0) + 2 * PRIOR * even * (1 - even)) - chances.T @ expected
            step = np.clip(np.linalg.solve(curve, slope), -LONGEST, LONGEST)
            xi += step
            if np.abs(step).max() < STEADY:
                break
        strengths = np.exp(xi - xi.max())
        return np.asarray(strengths / strengths.sum(), np.float32)

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        return {"known": self._known, "right": self._right}

    def _take_up(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._known, self._right = arrays.get("known", NOTHING), arrays.get("right", NOTHING)
        if len(self._known):
            self._keep(self._known, self._right)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)
