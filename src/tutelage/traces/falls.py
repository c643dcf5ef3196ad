"""Where a cycle's training cost a student a problem that it could do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..schema import Attempt, CycleReport, Problem
from .suspects import Suspects


@dataclass(frozen=True)
class Fall:
    """A problem that a cycle's student answers worse than the student that it was made from."""

    cycle: int
    before: float
    """Share of right answers."""
    after: float
    attempt: Attempt
    """A wrong answer after it."""


def falls(attempts: Iterable[Attempt], reports: Iterable[CycleReport]) -> list[Fall]:
    """Return where the share of right answers to one problem fell from a cycle's student to the next."""
    by_student: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_student[attempt.student].append(attempt)
    share = {student: sum(one.correct for one in some) / len(some) for student, some in by_student.items()}
    return [
        Fall(report.cycle, share[report.parent], share[report.student], _wrong(by_student[report.student]))
        for report in reports
        if report.student != report.parent and share.get(report.student, 1.0) < share.get(report.parent, 0.0)
    ]


def _wrong(attempts: Sequence[Attempt]) -> Attempt:
    return next(attempt for attempt in attempts if not attempt.correct)


def fall_event(fall: Fall, problem: Problem, suspects: Suspects) -> dict[str, Any]:
    """Return a fall as a trace tells it, with the lessons of its cycle that may have done it."""
    return {
        "cycle": fall.cycle,
        "kind": "fall",
        "agent": fall.attempt.student,
        "text": f"{fall.before:.0%} right before this training, {fall.after:.0%} after it",
        "suspects": suspects.of(problem, fall.attempt),
    }
