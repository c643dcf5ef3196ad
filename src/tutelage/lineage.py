"""Lineage: which students a student came from, and so what it was taught."""

from __future__ import annotations

from collections.abc import Sequence

from .schema import BASE, CycleReport, Split, Verdict

REPORTING = ("baseline", "evaluate")
"""The nodes of the graph that end a cycle with its report."""

_CHECKPOINT = "checkpoints/cycle-"


def checkpoint_of(cycle: int) -> str:
    """Name the student that a cycle makes, as attempts and reports do."""
    return f"{_CHECKPOINT}{cycle:03d}"


def cycle_of(student: str) -> int | None:
    """Return the cycle that made a student, 0 for the base student; None for what no cycle made."""
    number = student.removeprefix(_CHECKPOINT)
    return 0 if student == BASE else int(number) if number != student and number.isdecimal() else None


def lineage(reports: Sequence[CycleReport], student: str) -> list[CycleReport]:
    """Return the reports of the cycles that made a student, the first first; none for the base student.

    Not every accepted cycle is among them: after a rollback the loop goes on from the best checkpoint, which an
    accepted one with a lower accuracy is not.
    """
    made = {report.student: report for report in reports if report.verdict is Verdict.ACCEPTED}
    found: list[CycleReport] = []
    while student in made:
        found.append(made[student])
        student = found[-1].parent
    return found[::-1]


def accepted(reports: Sequence[CycleReport], cycle: int) -> bool:
    """Whether the student that a cycle made was accepted: one that was rolled back says nothing of its lessons."""
    return any(report.cycle == cycle and report.verdict is Verdict.ACCEPTED for report in reports)


def best_student(reports: Sequence[CycleReport]) -> str:
    """Return the best student so far: of those accepted the first with the highest gate accuracy, else the base."""
    best, highest = BASE, max((r.accuracy.get(Split.GATE, 0.0) for r in reports if r.cycle == 0), default=0.0)
    for report in reports:
        gate = report.accuracy.get(Split.GATE, 0.0)
        if report.verdict is Verdict.ACCEPTED and gate > highest:
            best, highest = report.student, gate
    return best
