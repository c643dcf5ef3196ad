"""How easy a rationale is for the student to learn: how likely it is to write it already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ...errors import RunError
from ...schema import Evidence, Problem, Rationale
from ...seams import CurrentStudent

LEARNABILITY = "learnability"
"""Key of the score in `Rationale.scores`."""

Candidates = Sequence[tuple[Problem, Sequence[Rationale]]]


def learnability_of(rationale: Rationale | Evidence) -> float:
    """Return a rationale's learnability; one that is not known is below all others."""
    return rationale.scores.get(LEARNABILITY, -math.inf)


class Learnability:
    """Base of purifiers that ask the student how likely it finds a rationale.

    PerSyn's learnability (arXiv 2510.10925): the mean log-likelihood per token that the student gives to the text.
    """

    needs_likelihoods = False
    """Whether it is of no use where the student's engine has none."""
    _student: CurrentStudent | None = None

    def meet(self, student: CurrentStudent) -> None:
        """Take the cycle's student."""
        self._student = student

    def learnabilities(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return the learnability of each rationale, at most 0, by its id; nothing of those that have it.

        Nor is the student asked where a problem's texts are all the same, so that there is no choice.

        Args:
            candidates: Problems with their verified rationales.

        Raises:
            RunError: If no student was met.
        """
        if self._student is None:
            raise RunError("purifier: has met no student; it can only work inside a run")
        if self._student.likelihoods is None:
            return {}
        asked = [
            (problem, one)
            for problem, some in candidates
            if len({one.text for one in some}) > 1
            for one in some
            if LEARNABILITY not in one.scores
        ]
        means = self._student.likelihoods([(problem, one.text) for problem, one in asked])
        return {one.id: {LEARNABILITY: mean} for (_, one), mean in zip(asked, means, strict=True)}
