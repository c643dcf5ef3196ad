"""The exams of a run: what one student answered on one split, and the share that the run reports of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from .. import jsonl
from ..errors import InputError
from ..lineage import cycle_of, lineage
from ..rundir import RunDir
from ..schema import BASE, Attempt, CycleReport, Split
from ..traces import status
from ..traces.rows import cycles_of

CANDIDATES = "retention-candidates"
"""Names the base student's exam on all retention questions; only those that it is sure of make the split."""
Status = Literal["success", "started", "cancelled"]


@dataclass(frozen=True)
class Exam:
    """What one student answered on one split."""

    name: str
    """The split's, or `retention-candidates`."""
    split: Split
    student: str
    cycle: int
    """The cycle that made the student; 0 is the base student."""
    attempts: Sequence[Attempt]
    report: CycleReport | None
    """Of the cycle that made the student; None while it is under way."""
    reported: float | None
    """The accuracy that the run reports; None if it reports none."""
    status: Status
    ended: datetime

    @property
    def model(self) -> str:
        """The student's name without its folder."""
        return self.student.rsplit("/", 1)[-1]


def read_exams(rundir: RunDir) -> list[Exam]:
    """Return the exams of a run, in the order of the students and then of the splits.

    Raises:
        InputError: If there are none yet.
    """
    reader = _Reader(rundir)  # before the attempts: what it takes for done has all of them
    found: dict[tuple[str, Split], list[Attempt]] = defaultdict(list)
    for cycle in cycles_of(rundir):
        for attempt in rundir.attempts(cycle):
            found[attempt.student, attempt.split].append(attempt)
    if not found:
        raise InputError(f"{rundir.path}: no student has been examined yet; let the run finish its first exam")
    order = list(Split)
    exams = [one for (student, split), some in found.items() for one in reader.exams(student, split, some)]
    return sorted(exams, key=lambda exam: (exam.cycle, order.index(exam.split), exam.name))


class _Reader:
    """What of a run is looked up for each exam."""

    def __init__(self, rundir: RunDir) -> None:
        self._rundir = rundir
        self._reports = {report.cycle: report for report in rundir.reports()}
        self._unfinished: Status = "started" if status(rundir) == "running" else "cancelled"
        self._result = rundir.result()  # after the status: a run that finishes in between has left nothing undone
        self._times = _times(rundir)

    def exams(self, student: str, split: Split, attempts: list[Attempt]) -> list[Exam]:
        """Return one exam, or two of the base student's retention."""
        if split is not Split.RETENTION or student != BASE:
            return [self._exam(split.value, student, split, attempts)]
        wrong = {attempt.problem_id for attempt in attempts if not attempt.correct}
        kept = [attempt for attempt in attempts if attempt.problem_id not in wrong]
        asked = [attempt for attempt in attempts if attempt.sample == 0]
        exams = [self._exam(split.value, student, split, kept)] if kept else []
        return [*exams, self._exam(CANDIDATES, student, split, asked)]

    def _exam(self, name: str, student: str, split: Split, attempts: list[Attempt]) -> Exam:
        cycle = cycle_of(student) or 0
        report = self._reports.get(cycle)
        reported = report.accuracy.get(split) if report else None
        if split is Split.TEST and student != BASE:
            reported = self._result["test"]["best"] if self._result else None
        done = report is not None and (split is not Split.TEST or student == BASE or self._result is not None)
        last = max(attempt.cycle for attempt in attempts)
        return Exam(
            name=name,
            split=split,
            student=student,
            cycle=cycle,
            attempts=attempts,
            report=report,
            reported=None if name == CANDIDATES else reported,
            status="success" if done else self._unfinished,
            ended=self._times.get((last, split.value)) or self._written(last),
        )

    def _written(self, cycle: int) -> datetime:
        return datetime.fromtimestamp(self._rundir.file("attempts", cycle).stat().st_mtime, UTC)


def _times(rundir: RunDir) -> dict[tuple[int, str], datetime]:
    """Return when an exam of a split was last under way in a cycle."""
    return {
        (event["cycle"], event["node"].removeprefix("exam ")): datetime.fromtimestamp(event["time"], UTC)
        for event in jsonl.read(rundir.events)
        if event.get("kind") == "progress" and event["node"].startswith("exam ")
    }


def teaching_before(reports: Sequence[CycleReport], exam: Exam) -> list[int]:
    """Return the cycles whose lessons made the student that sat an exam."""
    if exam.student == BASE:
        return []
    parent = exam.report.parent if exam.report else BASE
    return sorted({*(report.cycle for report in lineage(reports, parent)), exam.cycle})
