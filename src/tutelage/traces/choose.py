"""Which problems of a run a person wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import InputError, did_you_mean
from ..lineage import cycle_of
from ..rundir import RunDir
from ..schema import CycleReport, Split
from .problems import VERIFIED, ProblemRow, read_problems

REJECTED = "rejected"
"""Asks for problems with a rationale that was turned away, for whatever reason."""


@dataclass(frozen=True)
class Wanted:
    """What chosen problems have; None wants all."""

    weakness: str | None = None
    teacher: str | None = None
    verdict: str | None = None
    """`verified`, `rejected`, or why one was rejected."""
    changed: str | None = None
    """`2`: what cycle 2 changed in the student that it was made from; `0:2`: what changed from cycle 0 to cycle 2."""
    split: str | None = None
    text: str | None = None
    """A part of the question or the answer, in small letters or capitals."""

    @property
    def anything(self) -> bool:
        """Whether something is asked for at all."""
        return any(value is not None for value in vars(self).values())


def choose(rundir: RunDir, wanted: Wanted) -> list[ProblemRow]:
    """Return the problems that are wanted; where changes are, those that fell first.

    Raises:
        InputError: If the run has no such weakness, teacher, verdict, split or cycle.
    """
    rows = read_problems(rundir)
    _require("--weakness", wanted.weakness, (name for row in rows for name in row.weaknesses))
    _require("--teacher", wanted.teacher, (name for row in rows for name in row.teachers))
    verdicts = {verdict for row in rows for verdict in row.verdicts}
    _require("--verdict", wanted.verdict, {*verdicts, VERIFIED, REJECTED})
    _require("--split", wanted.split, Split)
    found = [row for row in rows if _fits(row, wanted)]
    if wanted.changed is None:
        return found
    before, after = span(rundir, wanted.changed)
    return sorted((row for row in found if row.moved(before, after)), key=lambda row: row.moved(before, after))


def _fits(row: ProblemRow, wanted: Wanted) -> bool:
    turned_away = any(verdict != VERIFIED for verdict in row.verdicts)
    return (
        (wanted.weakness is None or wanted.weakness in row.weaknesses)
        and (wanted.teacher is None or wanted.teacher in row.teachers)
        and (wanted.verdict is None or wanted.verdict in row.verdicts or (wanted.verdict == REJECTED and turned_away))
        and (wanted.split is None or wanted.split == row.split)
        and (wanted.text is None or wanted.text.casefold() in f"{row.question}\n{row.answer}".casefold())
    )


def _require(option: str, value: str | None, known: Iterable[str]) -> None:
    names = {str(name) for name in known}
    if value is not None and value not in names:
        raise InputError(f"{option} {value}: none in this run; {did_you_mean(value, names)}")


def span(rundir: RunDir, changed: str) -> tuple[int, int]:
    """Return the two cycles that `--changed` names.

    Raises:
        InputError: If it names none, or one that has made no student.
    """
    reports = rundir.reports()
    first, colon, second = changed.partition(":")
    try:
        after = int(second if colon else first)
        before = int(first) if colon else cycle_of(_report(reports, after, changed).parent) or 0
    except ValueError:
        raise InputError(f"--changed {changed}: not a cycle, nor two; write 2, or 1:2") from None
    for cycle in (before, after):
        _report(reports, cycle, changed)
    if before == after:
        raise InputError(f"--changed {changed}: begins and ends with the same student; write a cycle that trained one")
    return before, after


def _report(reports: Sequence[CycleReport], cycle: int, changed: str) -> CycleReport:
    made = {report.cycle: report for report in reports if report.accuracy}
    if cycle not in made:
        known = ", ".join(map(str, made)) or "none yet"
        raise InputError(f"--changed {changed}: cycle {cycle} made no student that was examined; known: {known}")
    return made[cycle]
