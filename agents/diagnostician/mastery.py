"""What is believed of each skill over the cycles: Beta posteriors with decay and pull from prerequisites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...prerequisites import in_order
from ...schema import Diagnosis, Mastery

INTERVAL: Final = 0.9
"""Probability that the pass rate lies between `Mastery.low` and `Mastery.high`."""


class Counts(NamedTuple):
    """What one cycle shows of a skill."""

    successes: float = 0.0
    failures: float = 0.0
    chance: float | None = None
    """None if the skill was not examined: what was known before stands."""


class MasteryModel:
    """Beta posterior of each skill's pass rate.

    With the counts k and n - k of this cycle (the attribution's, as many as the posterior is worth) and E, the evidence
    of the cycles before:

        alpha = 1 + pull m + decay E_right + k         beta = 1 + pull (1 - m) + decay E_wrong + n - k

    E of the next cycle is decay E + k, so evidence of d cycles ago counts decay^d. m is the lowest mean among the
    skill's prerequisites (without them there is no pull): nobody is expected to do better at a skill than at what it
    builds on. PSI-KT (arXiv 2403.13179) couples a learner's concepts by their prerequisites in a hierarchical model;
    the formula is a light one of our own.
    """

    def __init__(self, decay: float, pull: float) -> None:
        """Set what earlier evidence counts, in [0, 1], and the pseudo-counts of the prerequisites, at least 0."""
        self.decay = decay
        self.pull = pull

    def update(
        self, counts: Mapping[str, Counts], earlier: Sequence[Diagnosis], prerequisites: Mapping[str, Sequence[str]]
    ) -> tuple[Mastery, ...]:
        """Return the mastery of every skill that is or was examined, by name.

        Args:
            counts: What this cycle shows, by skill.
            earlier: Diagnoses of the cycles before, the latest last; that one holds the evidence of all.
            prerequisites: By skill, what it builds on; no cycle among them.
        """
        before = self._evidence(earlier[-1]) if earlier else {}
        chances = {m.skill: m.chance for m in earlier[-1].mastery} if earlier else {}
        alphas, betas, known = {}, {}, dict[str, float]()
        skills = set(counts) | set(before)
        for skill in in_order(skills, prerequisites):
            now, old = counts.get(skill, Counts()), before.get(skill, (0.0, 0.0))
            chances[skill] = chances.get(skill, 0.0) if now.chance is None else now.chance
            up, down = self._pull(prerequisites.get(skill, ()), known, chances[skill])
            alphas[skill] = 1 + up + self.decay * old[0] + now.successes
            betas[skill] = 1 + down + self.decay * old[1] + now.failures
            known[skill] = _without_chance(alphas[skill] / (alphas[skill] + betas[skill]), chances[skill])
        return _with_intervals(sorted(skills), alphas, betas, chances)

    def outcomes(
        self, counts: Mapping[str, Counts], earlier: Sequence[Diagnosis]
    ) -> Iterator[dict[str, tuple[float, float]]]:
        """Yield successes and failures by skill, of each checkpoint that was diagnosed, this one last."""
        for diagnosis in earlier:
            yield self._evidence(diagnosis)
        yield {skill: (now.successes, now.failures) for skill, now in counts.items()}

    def _evidence(self, diagnosis: Diagnosis) -> dict[str, tuple[float, float]]:
        """Return the evidence in earlier posteriors: what is left without prior and pull, by skill."""
        known = {mastery.skill: mastery.known for mastery in diagnosis.mastery}
        found = {}
        for mastery in diagnosis.mastery:
            up, down = self._pull(diagnosis.prerequisites.get(mastery.skill, ()), known, mastery.chance)
            found[mastery.skill] = (max(0.0, mastery.alpha - 1 - up), max(0.0, mastery.beta - 1 - down))
        return found

    def _pull(self, needed: Sequence[str], known: Mapping[str, float], chance: float) -> tuple[float, float]:
        """Return the pseudo-counts that the weakest prerequisite gives, right and wrong."""
        found = [known[name] for name in needed if name in known]
        if not found:
            return 0.0, 0.0
        expected = chance + (1 - chance) * min(found)
        return self.pull * expected, self.pull * (1 - expected)


def _without_chance(mean: float, chance: float) -> float:
    return max(0.0, mean - chance) / (1 - chance) if chance < 1 else 0.0


def _with_intervals(
    skills: Sequence[str], alphas: Mapping[str, float], betas: Mapping[str, float], chances: Mapping[str, float]
) -> tuple[Mastery, ...]:
    from scipy.special import betaincinv  # a command that diagnoses nothing should not wait for it

    alpha, beta = (np.array([values[skill] for skill in skills]) for values in (alphas, betas))
    low, high = (betaincinv(alpha, beta, tail) for tail in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2))
    return tuple(
        Mastery(
            skill=skill,
            alpha=float(alpha[at]),
            beta=float(beta[at]),
            low=float(low[at]),
            high=float(high[at]),
            chance=chances[skill],
        )
        for at, skill in enumerate(skills)
    )
