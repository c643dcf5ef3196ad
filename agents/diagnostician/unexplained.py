"""Wrong answers without a known step: how likely each skill, or an error pattern, is what failed."""

from __future__ import annotations

from typing import Final

import numpy as np

from .evidence import Causes, Evidence

KAPPA: Final = (1.0, 10.0)
"""Of so many failures of skills (second), so many (first) are believed to show an error pattern, to begin with."""

_TINY: Final = 1e-9


class Unseen:
    """The E-step over sets of possible causes, as flat arrays over (set, skill)."""

    def __init__(self, evidence: Evidence) -> None:
        """Lay the sets out."""
        place = {name: at for at, name in enumerate(evidence.direct)}
        self._sets = list(evidence.unexplained)
        self._row = np.repeat(np.arange(len(self._sets)), [len(causes.skills) for causes in self._sets])
        self._skill = np.array([place[name] for causes in self._sets for name in causes.skills], dtype=np.intp)
        self._pattern = np.array([place.get(causes.pattern, -1) for causes in self._sets], dtype=np.intp)
        self._weight = np.array([group.weight for group in evidence.unexplained.values()], dtype=float)
        self._count = np.array([group.count for group in evidence.unexplained.values()], dtype=float)
        self._names = len(place)
        self._own = (self._pattern >= 0).astype(float)
        self._kappa = KAPPA[0] / KAPPA[1]
        self._kept = np.zeros(len(self._row))

    def first_guess(self) -> np.ndarray:
        """Return failures by name before anything is inferred: a shown pattern's own; shape (names,)."""
        return self._total(np.ones(len(self._row)), self._own)

    def infer(self, theta: np.ndarray, plain: float) -> None:
        """Infer what failed.

        Args:
            theta: Probability that each name's part is done right; shape (names,).
            plain: Weight of the failures with a known step: they show no pattern.
        """
        product = self._all_right(theta)
        self._kept = np.maximum(theta[self._skill] - product[self._row], 0.0) / (1 - product[self._row])
        shown = self._pattern >= 0
        if not shown.any():
            return
        ability = np.where(shown, theta[self._pattern], 1.0)
        by_skill = ability * (1 - product) * self._kappa
        self._own = np.where(shown, (1 - ability) / np.maximum(1 - ability + by_skill, _TINY), 0.0)
        of_skills = self._weight * (1 - self._own)
        here, there = float(of_skills[shown].sum()), float(of_skills[~shown].sum())
        self._kappa = (KAPPA[0] + here) / (KAPPA[1] + here + there + plain)

    def _all_right(self, theta: np.ndarray) -> np.ndarray:
        """Return the probability that all skills of a set are applied right, below 1; shape (sets,)."""
        logs = np.bincount(self._row, weights=np.log(theta[self._skill]), minlength=len(self._sets))
        return np.minimum(np.exp(logs), 1 - _TINY)

    def successes(self) -> np.ndarray:
        """Return how often each was applied right, expected; shape (names,)."""
        return self._total(self._kept, 1 - self._own)

    def failures(self) -> np.ndarray:
        """Return how often each was applied wrong, expected; several skills may fail at once. Shape (names,)."""
        return self._total(1 - self._kept, self._own)

    def support(self) -> np.ndarray:
        """Return how many attempts tell something of each: all but those that failed by a pattern; shape (names,)."""
        told = (self._count * (1 - self._own))[self._row]
        found: np.ndarray = np.bincount(self._skill, weights=told, minlength=self._names)
        return found

    def blame(self) -> np.ndarray:
        """Return the failures laid to each, every failure counted once; shape (names,)."""
        return self._total(self._portions(), self._own)

    def shares(self) -> dict[Causes, dict[str, float]]:
        """Return how much of one failure of each set is laid to each of its skills."""
        portions, found, at = self._portions() * (1 - self._own)[self._row], {}, 0
        for causes in self._sets:
            found[causes] = dict(zip(causes.skills, map(float, portions[at : at + len(causes.skills)]), strict=True))
            at += len(causes.skills)
        return found

    def covariance(self, theta: np.ndarray) -> np.ndarray:
        """Return the summed covariance of what was applied right, given that the answers are wrong.

        Of two skills of a set, Cov = (theta_s theta_t - prod theta) / (1 - prod theta) - q_s q_t, with q_s as `infer`
        has it; of a skill with itself, q_s (1 - q_s). Shape (names, names); nothing for patterns.
        """
        from scipy.sparse import csr_array

        shape = (len(self._sets), self._names)
        product, weight = self._all_right(theta), self._weight * (1 - self._own)
        needs = csr_array((np.ones(len(self._row)), (self._row, self._skill)), shape=shape)
        kept = csr_array((self._kept, (self._row, self._skill)), shape=shape)
        scale = weight / (1 - product)
        found: np.ndarray = (needs.T @ (needs * scale[:, None])).toarray() * np.outer(theta, theta)
        found -= (needs.T @ (needs * (scale * product)[:, None])).toarray()
        found -= (kept.T @ (kept * weight[:, None])).toarray()
        np.fill_diagonal(found, self._by_skill(self._kept * (1 - self._kept)))
        return found

    def _portions(self) -> np.ndarray:
        """Divide each failure among its skills in proportion to how likely each has failed."""
        failed = 1 - self._kept
        total = np.bincount(self._row, weights=failed, minlength=len(self._sets))
        portions: np.ndarray = failed / np.maximum(total[self._row], _TINY)
        return portions

    def _total(self, skills: np.ndarray, patterns: np.ndarray) -> np.ndarray:
        """Add up values per (set, skill) and per set, for its pattern; shape (names,)."""
        shown = self._pattern >= 0
        weights = (self._weight * patterns)[shown]
        found = self._by_skill(skills)
        np.add.at(found, self._pattern[shown], weights)
        return found

    def _by_skill(self, values: np.ndarray) -> np.ndarray:
        """Add up values per (set, skill), weighted by the failures that are no pattern's own; shape (names,)."""
        weight = (self._weight * (1 - self._own))[self._row]
        found: np.ndarray = np.bincount(self._skill, weights=weight * values, minlength=self._names).astype(float)
        return found  # without any weights, bincount counts in whole numbers
