"""The run directory: where everything of a run lies, readable with nothing but a text editor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from . import jsonl
from .cyclefiles import CycleFiles
from .errors import InputError
from .records import dump_record, parse_record
from .runlock import PATIENCE, RunLock
from .schema import (
    SCHEMA_VERSION,
    CycleReport,
    Lesson,
    Problem,
    Split,
)
from .secret import without_secrets

_LONGEST_ERROR = 100_000
"""Characters of `error.log`."""


class RunDir(CycleFiles):
    """Paths, readers and writers of one run."""

    def __init__(self, path: Path) -> None:
        """Point at a run directory; nothing is written yet."""
        super().__init__(path)
        self.config = path / "config.yaml"
        self.task = path / "task.json"
        self.events = path / "events.jsonl"
        self.calls = path / "calls.sqlite"
        self.graph = path / "graph.sqlite"
        self.memory = path / "memory"
        self.checkpoints = path / "checkpoints"
        self._lock = RunLock(path / "lock")

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Open a run that exists.

        Raises:
            InputError: If the folder is no run directory.
        """
        if not (path / "config.yaml").is_file():
            raise InputError(f"{path}: no run directory (it has no config.yaml); give the folder that `run` printed")
        return cls(path)

    def settings(self) -> dict[str, Any]:
        """Read the configuration as plain values.

        Raises:
            InputError: If it is not that of a run.
        """
        try:
            found = yaml.safe_load(self.config.read_text(encoding="utf-8"))
            found["student"]["model"]  # every run's has one
        except (yaml.YAMLError, TypeError, KeyError, ValueError):
            told = "not the configuration of a run; give the folder that `run` printed"
            raise InputError(f"{self.config}: {told}") from None
        return dict(found)

    def instruction(self) -> str | None:
        """Read the task's system message.

        Raises:
            InputError: If it is not there.
        """
        if not self.task.exists():
            raise InputError(f"{self.task}: is missing; copy the whole run directory, or run it again")
        found = jsonl.read_json(self.task)["instruction"]
        return None if found is None else str(found)

    def lock(self, patience: float = PATIENCE) -> None:
        """Take the run for this process; the lock goes with the process, however it ends.

        Args:
            patience: Seconds to wait for another process that has it.

        Raises:
            RunError: If another process has it.
        """
        self._lock.take(patience)

    def unlock(self) -> None:
        """Give the run back."""
        self._lock.give_back()

    @property
    def locked(self) -> bool:
        """Whether some process, this one included, is running here; nobody who runs is disturbed by the question."""
        return self._lock.taken

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
        """Read the problems by split.

        Raises:
            InputError: If there are none: the folder is no run's, or only a part of it was copied.
        """
        found: dict[Split, list[Problem]] = {}
        path = self.path / "problems.jsonl"
        if not path.exists():
            self.settings()
            raise InputError(f"{path}: is missing; copy the whole run directory")
        for row in jsonl.read(path):
            fields = {name: value for name, value in row.items() if name != "split"} if isinstance(row, dict) else row
            problem = parse_record(fields, Problem, path)
            found.setdefault(Split(row["split"]), []).append(problem)
        return found

    def rehearsal(self) -> list[Lesson]:
        """Read the base student's own answers, which every cycle's training imitates or holds the student to."""
        path = self.path / "rehearsal.jsonl"
        return [parse_record(row, Lesson, path) for row in jsonl.read(path)]

    def write_rehearsal(self, lessons: Iterable[Lesson]) -> None:
        """Write the base student's own answers, all at once."""
        jsonl.write_atomic(
            self.path / "rehearsal.jsonl", "".join(jsonl.dumps(dump_record(lesson)) for lesson in lessons)
        )

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

    def forget_step(self, cycle: int, node: str) -> None:
        """Have a node done again."""
        (self.path / "steps" / f"cycle-{cycle:03d}-{node}.json").unlink(missing_ok=True)

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
