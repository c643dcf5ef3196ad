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
    before: tuple[Attempt, ...]
    """Answers of the student that it was made from; of sampled ones there may be several."""
    after: tuple[Attempt, ...]
    attempt: Attempt
    """A wrong answer after it."""


def falls(attempts: Iterable[Attempt], reports: Iterable[CycleReport]) -> list[Fall]:
    """Return where the share of right answers to one problem fell from a cycle's student to the next."""
    by_student: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_student[attempt.student].append(attempt)
    share = {student: sum(one.correct for one in some) / len(some) for student, some in by_student.items()}
    return [
        Fall(report.cycle, tuple(by_student[report.parent]), tuple(after), _wrong(after))
        for report in reports
        if report.student != report.parent and share.get(report.student, 1.0) < share.get(report.parent, 0.0)
        for after in (by_student[report.student],)
    ]


def _wrong(attempts: Sequence[Attempt]) -> Attempt:
    return next(attempt for attempt in attempts if not attempt.correct)


def fall_event(fall: Fall, problem: Problem, suspects: Suspects) -> dict[str, Any]:
    """Return a fall as a trace tells it, with the lessons of its cycle that may have done it."""
    named, alike = suspects.of(problem, fall.attempt)
    more = f"; {len(named)} of {alike} lessons that are as like this answer" if alike > len(named) else ""
    return {
        "cycle": fall.cycle,
        "kind": "fall",
        "agent": fall.attempt.student,
        "text": f"{_told(fall.before)} before this training, {_told(fall.after)} after it{more}",
        "suspects": named,
    }


def _told(attempts: Sequence[Attempt]) -> str:
    right = sum(attempt.correct for attempt in attempts)
    return ("right" if right else "wrong") if len(attempts) == 1 else f"{right} of {len(attempts)} right"
