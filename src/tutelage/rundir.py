"""The run directory: where everything of a run lies, readable with nothing but a text editor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from . import jsonl
from .errors import InputError, RunError
from .records import dump_record, parse_record
from .schema import (
    SCHEMA_VERSION,
    Attempt,
    CycleReport,
    Decision,
    Diagnosis,
    FreshProblem,
    Lesson,
    LessonPlan,
    Problem,
    Rationale,
    Record,
    Split,
    Strategy,
    TrainingReport,
)
from .secret import without_secrets

R = TypeVar("R", bound=Record)

_LONGEST_ERROR = 100_000
"""Characters of `error.log`."""


class RunDir:
    """Paths, readers and writers of one run."""

    def __init__(self, path: Path) -> None:
        """Point at a run directory; nothing is written yet."""
        self.path = path
        self.config = path / "config.yaml"
        self.events = path / "events.jsonl"
        self.calls = path / "calls.sqlite"
        self.graph = path / "graph.sqlite"
        self.memory = path / "memory"
        self.checkpoints = path / "checkpoints"
        self._lock = FileLock(path / "lock", blocking=False)

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Open a run that exists.

        Raises:
            InputError: If the folder is no run directory.
        """
        if not (path / "config.yaml").is_file():
            raise InputError(f"{path}: no run directory (it has no config.yaml); give the folder that `run` printed")
        return cls(path)

    def lock(self) -> None:
        """Take the run for this process; the lock goes with the process, however it ends.

        Raises:
            RunError: If another process has it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise RunError(f"{self.path}: another process is running here (lock file {self.path / 'lock'})") from None

    def unlock(self) -> None:
        """Give the run back."""
        self._lock.release()

    @property
    def locked(self) -> bool:
        """Whether some process, this one included, is running here."""
        if self._lock.is_locked:
            return True
        if not (self.path / "lock").exists():
            return False
        probe = FileLock(self.path / "lock", blocking=False)
        try:
            probe.acquire()
        except Timeout:
            return True
        except OSError:
            return False  # somebody else's run, which we may read but not lock
        probe.release()
        return False

    def relative(self, path: Path) -> str:
        """Name a path of this run as the state and the files do."""
        return os.path.relpath(path, self.path)

    # problems -----------------------------------------------------------------------------------------------------

    def write_problems(self, problems: Mapping[Split, Iterable[Problem]]) -> None:
        """Write every problem with its split, once."""
        rows = [
            {"schema": SCHEMA_VERSION, "split": split.value, **problem.model_dump(mode="json")}
            for split, some in problems.items()
            for problem in some
        ]
        jsonl.write_atomic(self.path / "problems.jsonl", "".join(jsonl.dumps(row) for row in rows))

    def problems(self) -> dict[Split, list[Problem]]:
        """Read the problems by split."""
        found: dict[Split, list[Problem]] = {}
        for row in jsonl.read(self.path / "problems.jsonl"):
            split = Split(row.pop("split"))
            found.setdefault(split, []).append(parse_record(row, Problem, self.path / "problems.jsonl"))
        return found

    # rows, by cycle -----------------------------------------------------------------------------------------------

    def attempts(self, cycle: int, of: str | None = None) -> list[Attempt]:
        """Read the attempts of a cycle, or of one problem by its id."""
        return self._rows("attempts", cycle, Attempt, of)

    def add_attempts(self, cycle: int, attempts: Iterable[Attempt]) -> None:
        """Append attempts."""
        self._append("attempts", cycle, attempts)

    def rationales(self, cycle: int, of: str | None = None) -> list[Rationale]:
        """Read the rationales of a cycle, or of one problem by its id, rejected ones included."""
        return self._rows("rationales", cycle, Rationale, of)

    def add_rationales(self, cycle: int, rationales: Iterable[Rationale]) -> None:
        """Append rationales."""
        self._append("rationales", cycle, rationales)

    def write_rationales(self, cycle: int, rationales: Iterable[Rationale]) -> None:
        """Write the rationales of a cycle anew, all at once, with what has been found out of them."""
        self._write_rows("rationales", cycle, rationales)

    def decisions(self, cycle: int, of: str | None = None) -> list[Decision]:
        """Read what was decided between the rationales of a cycle's problems, or of one problem by its id."""
        return self._rows("decisions", cycle, Decision, of)

    def write_decisions(self, cycle: int, decisions: Iterable[Decision]) -> None:
        """Write the decisions of a cycle, all at once."""
        self._write_rows("decisions", cycle, decisions)

    def lessons(self, cycle: int, of: str | None = None) -> list[Lesson]:
        """Read the lessons of a cycle, or of one problem by its id."""
        return self._rows("lessons", cycle, Lesson, of)

    def write_lessons(self, cycle: int, lessons: Iterable[Lesson]) -> None:
        """Write the lessons of a cycle, all at once."""
        self._write_rows("lessons", cycle, lessons)

    def rehearsal(self) -> list[Lesson]:
        """Read the base student's own answers, which every cycle's training imitates or holds the student to."""
        path = self.path / "rehearsal.jsonl"
        return [parse_record(row, Lesson, path) for row in jsonl.read(path)]

    def write_rehearsal(self, lessons: Iterable[Lesson]) -> None:
        """Write the base student's own answers, all at once."""
        jsonl.write_atomic(
            self.path / "rehearsal.jsonl", "".join(jsonl.dumps(dump_record(lesson)) for lesson in lessons)
        )

    def training(self, cycle: int) -> list[TrainingReport]:
        """Read what the training stages of a cycle reported."""
        return self._rows("training", cycle, TrainingReport)

    def write_training(self, cycle: int, reports: Iterable[TrainingReport]) -> None:
        """Write what the training stages of a cycle reported."""
        self._write_rows("training", cycle, reports)

    def fresh(self, cycle: int) -> list[FreshProblem] | None:
        """Read on which problems the weaknesses of a cycle are tested; None if they have not been drawn."""
        written = self.file("fresh", cycle).exists()
        return self._rows("fresh", cycle, FreshProblem) if written else None

    def write_fresh(self, cycle: int, problems: Iterable[FreshProblem]) -> None:
        """Write on which problems the weaknesses of a cycle are tested, all at once."""
        self._write_rows("fresh", cycle, problems)

    def strategies(self, cycle: int) -> list[Strategy] | None:
        """Read the library of a cycle; None if none was written."""
        written = self.file("strategies", cycle).exists()
        return self._rows("strategies", cycle, Strategy) if written else None

    def write_strategies(self, cycle: int, strategies: Iterable[Strategy]) -> None:
        """Write the library of a cycle, all at once."""
        self._write_rows("strategies", cycle, strategies)

    # documents, by cycle ------------------------------------------------------------------------------------------

    def diagnosis(self, cycle: int) -> Diagnosis | None:
        """Read the diagnosis of a cycle, if it was made."""
        return self._document("diagnoses", cycle, Diagnosis)

    def write_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Write the diagnosis of its cycle."""
        self._write_document("diagnoses", diagnosis.cycle, diagnosis)

    def untested(self, cycle: int) -> Diagnosis | None:
        """Read the diagnosis of a cycle as it was before its weaknesses were tested, if it was made."""
        return self._document("untested", cycle, Diagnosis)

    def write_untested(self, diagnosis: Diagnosis) -> None:
        """Write the diagnosis of its cycle before its weaknesses are tested."""
        self._write_document("untested", diagnosis.cycle, diagnosis)

    def plan(self, cycle: int) -> LessonPlan | None:
        """Read the plan of a cycle, if it was made."""
        return self._document("plans", cycle, LessonPlan)

    def write_plan(self, plan: LessonPlan) -> None:
        """Write the plan of its cycle."""
        self._write_document("plans", plan.cycle, plan)

    def reports(self) -> list[CycleReport]:
        """Read the reports of all cycles so far, in order."""
        paths = sorted((self.path / "reports").glob("cycle-*.json"))
        return [self._parse(path, CycleReport) for path in paths]

    def write_report(self, report: CycleReport) -> None:
        """Write the report of its cycle."""
        self._write_document("reports", report.cycle, report)

    def result(self) -> dict[str, Any] | None:
        """Read how the run ended, if it did."""
        path = self.path / "result.json"
        return dict(jsonl.read_json(path)) if path.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Write how the run ended."""
        jsonl.write_json(self.path / "result.json", {"schema": SCHEMA_VERSION, **result})

    # steps and events ---------------------------------------------------------------------------------------------

    def step(self, cycle: int, node: str) -> dict[str, Any] | None:
        """Read what a node of the graph returned in a cycle, if it has finished."""
        path = self.path / "steps" / f"cycle-{cycle:03d}-{node}.json"
        return dict(jsonl.read_json(path)) if path.exists() else None

    def write_step(self, cycle: int, node: str, record: dict[str, Any]) -> None:
        """Note that a node has finished, with what it returned."""
        jsonl.write_json(self.path / "steps" / f"cycle-{cycle:03d}-{node}.json", {"schema": SCHEMA_VERSION, **record})

    def add_seconds(self, cycle: int) -> None:
        """Enter the seconds of a cycle's finished nodes into its report, if it has one yet."""
        report = self._document("reports", cycle, CycleReport)
        if report is None:
            return
        names = [path.stem.split("-", 2)[2] for path in sorted((self.path / "steps").glob(f"cycle-{cycle:03d}-*.json"))]
        seconds = {name: (self.step(cycle, name) or {})["seconds"] for name in names}
        self.write_report(report.model_copy(update={"seconds": seconds}))

    def write_event(self, event: dict[str, Any]) -> None:
        """Append one event of the graph's stream."""
        jsonl.append(self.events, [{"schema": SCHEMA_VERSION, "time": round(time.time(), 3), **event}])

    def write_error(self, told: str) -> None:
        """Write the traceback of a failure, secrets blacked out.

        Only the end of it, if a plug-in's exception quotes something endless.
        """
        told = without_secrets(told)[-_LONGEST_ERROR:]
        (self.path / "error.log").write_text(told, encoding="utf-8", errors="replace")

    # shared by the above ------------------------------------------------------------------------------------------

    def file(self, kind: str, cycle: int, suffix: str = "jsonl") -> Path:
        """Name the file of a kind of record in a cycle."""
        return self.path / kind / f"cycle-{cycle:03d}.{suffix}"

    def _rows(self, kind: str, cycle: int, model: type[R], of: str | None = None) -> list[R]:
        path = self.file(kind, cycle)
        rows = (row for row in jsonl.read(path, of) if of is None or row["problem_id"] == of)
        return [parse_record(row, model, path) for row in rows]

    def _append(self, kind: str, cycle: int, records: Iterable[Record]) -> None:
        jsonl.append(self.file(kind, cycle), (dump_record(record) for record in records))

    def _write_rows(self, kind: str, cycle: int, records: Iterable[Record]) -> None:
        jsonl.write_atomic(self.file(kind, cycle), "".join(jsonl.dumps(dump_record(record)) for record in records))

    def _document(self, kind: str, cycle: int, model: type[R]) -> R | None:
        path = self.file(kind, cycle, "json")
        return self._parse(path, model) if path.exists() else None

    def _write_document(self, kind: str, cycle: int, record: Record) -> None:
        jsonl.write_json(self.file(kind, cycle, "json"), dump_record(record))

    def _parse(self, path: Path, model: type[R]) -> R:
        return parse_record(jsonl.read_json(path), model, path)
