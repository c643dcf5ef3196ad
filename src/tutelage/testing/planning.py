"""A planner's request in a line or two: pools, masteries and attempts by skill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..schema import Attempt, Confirmation, Diagnosis, Mastery, Problem, Split, Weakness
from ..seams import PlanningRequest

STRENGTH = 1000
"""Answers that a mastery rests on."""


def make_problems(**sizes: int) -> list[Problem]:
    """Return so many problems of each skill, named by skill and number; `a_b=3` gives three that need a and b."""
    return [
        Problem(id=f"{skills}{number}", question=f"{skills} {number}?", answer="1", skills=tuple(skills.split("_")))
        for skills, size in sizes.items()
        for number in range(size)
    ]


def make_diagnosis(
    means: Mapping[str, float] | None = None,
    weak: Iterable[str] = (),
    refuted: Iterable[str] = (),
    accuracy: float = 0.5,
    **more: Any,
) -> Diagnosis:
    """Return a diagnosis.

    Args:
        means: The expected pass rate of each skill.
        weak: Weaknesses, the most severe first.
        refuted: Weaknesses that a test did not confirm.
        accuracy: Of all answers.
        **more: Other fields.
    """
    test = Confirmation(asked=8, passed=1.0, confirmed=False)
    found = [Weakness(name=name, pass_rate=0.1, support=9, severity=0.5) for name in weak]
    found += [Weakness(name=name, pass_rate=0.1, support=9, severity=0.1, confirmation=test) for name in refuted]
    mastery = [
        Mastery(skill=skill, alpha=STRENGTH * mean, beta=STRENGTH * (1 - mean)) for skill, mean in (means or {}).items()
    ]
    fields: dict[str, Any] = {"cycle": 1, "student": "base", **more}
    return Diagnosis(accuracy=accuracy, weaknesses=tuple(found), mastery=tuple(mastery), **fields)


def make_attempt(problem_id: str, score: float, cycle: int = 1, sample: int = 0, student: str = "base") -> Attempt:
    """Return an attempt at a train problem, right if its score is 1."""
    return Attempt(
        id=f"{student}-{problem_id}-{cycle}-{sample}",
        problem_id=problem_id,
        split=Split.TRAIN,
        cycle=cycle,
        student=student,
        sample=sample,
        text="",
        answer=None,
        score=score,
        correct=score == 1,
        logprob=0.0,
        tokens=1,
        finish_reason="stop",
    )


def make_request(problems: Sequence[Problem], lessons: int, diagnosis: Diagnosis, **more: Any) -> PlanningRequest:
    """Return a request in cycle 1 with one teacher; `more` gives other fields."""
    fields: dict[str, Any] = {"cycle": 1, "attempts": (), "taught": {}, "teachers": ("one",), "seed": 0, **more}
    return PlanningRequest(problems=problems, lessons=lessons, diagnosis=diagnosis, **fields)
