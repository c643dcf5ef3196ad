"""The history that a teacher is shown: errors on the probe split, the most informative for its problem first.

The cut is greedy. An error is worth the severity of its weakness, and `TAUGHT` or `NEEDED` more if that weakness is
what the problem is taught for or a skill that the problem needs; this is divided by one more than the errors of the
same weakness chosen so far, so that distinct weaknesses are covered, and multiplied by `REPEAT` if the same wrong step
was chosen already. Of equal ones the shorter comes first. What no longer fits in the budget is passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...agents.prompts import count_tokens, probe_error
from ...schema import Diagnosis, ProbeError, Problem

TAUGHT = 1.0
"""Added to the worth of an error of the weakness that the problem is taught for; severities lie in [0, 1]."""
NEEDED = 0.5
"""Added to the worth of an error in another skill that the problem needs."""
REPEAT = 0.1
"""What the worth of a wrong step that was chosen already is multiplied by."""


@dataclass(frozen=True)
class _Candidate:
    error: ProbeError
    weakness: str
    step: tuple[str, ...]
    """What tells one wrong step from another."""
    tokens: int


class History:
    """A student's errors on the probe split, ready to be cut for one problem after another."""

    def __init__(self, errors: Sequence[ProbeError], diagnosis: Diagnosis) -> None:
        """Measure each error and name its weakness."""
        self._severity = {weakness.name: weakness.severity for weakness in diagnosis.taught}
        found = [_candidate(error, self._severity) for error in errors]
        self._candidates = sorted(found, key=lambda one: (one.tokens, one.error.attempt.id))

    def about(self, problem: Problem, weakness: str | None, budget: int) -> tuple[ProbeError, ...]:
        """Return what fits in the budget (in estimated tokens), the most informative for a problem first."""
        left = self._candidates
        chosen: list[_Candidate] = []
        covered, shown = Counter[str](), set[tuple[str, ...]]()
        base = {one.weakness: self._relevance(one.weakness, problem, weakness) for one in left}
        while left := [one for one in left if one.tokens <= budget]:
            worth = [
                base[one.weakness] / (1 + covered[one.weakness]) * (REPEAT if one.step in shown else 1.0)
                for one in left
            ]
            best = left.pop(worth.index(max(worth)))
            chosen.append(best)
            covered[best.weakness] += 1
            shown.add(best.step)
            budget -= best.tokens
        return tuple(one.error for one in chosen)

    def _relevance(self, name: str, problem: Problem, weakness: str | None) -> float:
        taught = TAUGHT if name == weakness else NEEDED if name in problem.skills else 0.0
        return self._severity.get(name, 0.0) + taught


def _candidate(error: ProbeError, severity: Mapping[str, float]) -> _Candidate:
    step = error.attempt.wrong_step
    text = error.attempt.text
    # An equation is told from another by how it is written, other steps by what is wrong with them.
    key = (step.kind, text[step.start : step.end] or step.found, step.expected) if step else (text,)
    return _Candidate(error, _weakness(error, severity), key, count_tokens(probe_error(error)))


def _weakness(error: ProbeError, severity: Mapping[str, float]) -> str:
    """Return the skill of the wrong step, or else the most severe weakness among what the problem needs."""
    step = error.attempt.wrong_step
    if step is not None and step.skill is not None:
        return step.skill
    return max(sorted(error.problem.skills), key=lambda skill: severity.get(skill, 0.0), default="")
