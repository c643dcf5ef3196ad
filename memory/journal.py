"""The error journal: an append-only JSONL file of the student's errors, what became of each, and what was evicted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from ..errors import RunError
from ..hashing import content_hash
from ..schema import SCHEMA_VERSION, Record, Split, WrongStep

ALLOWED_SPLITS = frozenset({Split.TRAIN, Split.PROBE})
"""The only splits whose errors a teacher may ever see."""


class ErrorEntry(Record):
    """One wrong answer of the student."""

    schema_version: int = Field(SCHEMA_VERSION, alias="schema", ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    kind: Literal["error"] = "error"
    id: str
    """Hash of the problem's id, the student's checkpoint and the attempt's text."""
    cycle: int
    split: Split
    student: str
    problem_id: str
    question: str
    answer: str
    """The gold answer."""
    attempt_id: str
    attempt: str
    """What the student wrote."""
    wrong_step: WrongStep | None = None
    weakness: str | None = None
    skills: tuple[str, ...] = ()
    given: str | None = None
    """The answer found in the attempt."""
    task: str = ""
    """The task it is of; empty in journals from before tasks could share a memory."""

    @field_validator("split")
    @classmethod
    def _seen_by_teachers(cls, split: Split) -> Split:
        if split not in ALLOWED_SPLITS:
            raise ValueError(f"an error of the {split} split must not be remembered: teachers would see it")
        return split


class OutcomeEntry(Record):
    """What became of an error after something was taught for it."""

    schema_version: int = Field(SCHEMA_VERSION, alias="schema", ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    kind: Literal["outcome"] = "outcome"
    error_id: str
    rationale_id: str | None
    taught: str
    """The text that was trained on."""
    fixed: bool
    cycle: int

    @property
    def id(self) -> str:
        """Name of this outcome: the same lesson judged again in the same cycle has the same name."""
        return content_hash(self.error_id, self.rationale_id, self.cycle)


class EvictionEntry(Record):
    """Errors that were forgotten, because the memory was full."""

    schema_version: int = Field(SCHEMA_VERSION, alias="schema", ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    kind: Literal["eviction"] = "eviction"
    error_ids: tuple[str, ...]


Entry = ErrorEntry | OutcomeEntry | EvictionEntry
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])
ADDED, EVICTED = "+", "-"
"""How an event of the journal begins; the error's id follows."""


def error_id(problem_id: str, student: str, attempt: str) -> str:
    """Return the name of an error: the same wrong text of the same student is one error."""
    return content_hash(problem_id, student, attempt)


class ErrorJournal:
    """The errors and outcomes in a JSONL file, all of them held in memory.

    One writer at a time: `ErrorMemory` holds the lock.

    Attributes:
        path: The file.
        errors: Every error that is not evicted, by id, in the order written.
        events: Ids of errors in the order in which they came and went: `+id` and `-id`.
    """

    def __init__(self, path: Path) -> None:
        """Read the file, repairing a last line that was torn by a crash.

        Raises:
            RunError: If a line other than a torn last one cannot be read; the message names file and line.
        """
        self.path = path
        self.errors: dict[str, ErrorEntry] = {}
        self.events: list[str] = []
        self._evicted: set[str] = set()
        self._outcomes: dict[str, list[OutcomeEntry]] = {}
        self._outcome_ids: set[str] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._load()

    def outcomes(self, error_id: str, up_to: int | None = None) -> tuple[OutcomeEntry, ...]:
        """Return what is known of an error's fate, oldest first.

        Args:
            error_id: An error's id.
            up_to: Leave out outcomes of later cycles than this.
        """
        known = self._outcomes.get(error_id, [])
        return tuple(o for o in known if up_to is None or o.cycle <= up_to)

    def append(self, entries: Iterable[ErrorEntry | OutcomeEntry]) -> int:
        """Write the entries that are not in the journal yet; return how many those were.

        An error that was evicted stays so.

        Raises:
            RunError: If the file cannot be written; nothing of the batch is kept then.
        """
        fresh = [entry for entry in entries if self._remember(entry)]
        if fresh:
            self._write("".join(f"{_line(entry)}\n" for entry in fresh).encode(), fresh)
        return len(fresh)

    def evict(self, error_ids: Iterable[str]) -> None:
        """Forget errors, and write that down.

        Raises:
            RunError: If the file cannot be written; nothing is forgotten then.
        """
        entry = EvictionEntry(error_ids=tuple(error_ids))
        self._write(f"{_line(entry)}\n".encode(), [])
        self._remember(entry)

    def _write(self, data: bytes, fresh: list[ErrorEntry | OutcomeEntry]) -> None:
        before = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            for entry in reversed(fresh):
                self._forget(entry)
            if self.path.exists():
                os.truncate(self.path, before)  # half a batch would glue itself to the next one
            raise RunError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def _load(self) -> None:
        data = self.path.read_bytes() if self.path.exists() else b""
        lines = data.split(b"\n")
        tail = lines.pop()
        for number, line in enumerate(lines, start=1):
            self._remember(self._parse(number, line))
        if tail:
            self._repair(tail, len(data))

    def _repair(self, tail: bytes, size: int) -> None:
        """Finish a last line that only lacks its newline; cut off one that is torn."""
        try:
            entry = _ENTRY.validate_json(tail)
        except ValidationError:
            os.truncate(self.path, size - len(tail))
            return
        with self.path.open("ab") as file:
            file.write(b"\n")
        self._remember(entry)

    def _parse(self, number: int, line: bytes) -> Entry:
        try:
            return _ENTRY.validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            where = f"{self.path}:{number}: {field}: " if field else f"{self.path}:{number}: "
            raise RunError(f"{where}{first['msg']}; mend or remove this line, the rest is kept") from error

    def _remember(self, entry: Entry) -> bool:
        """Take an entry in; return whether it says anything new."""
        if isinstance(entry, ErrorEntry):
            return self._add(entry)
        if isinstance(entry, EvictionEntry):
            return self._evict(entry)
        if entry.id in self._outcome_ids:
            return False
        self._outcome_ids.add(entry.id)
        self._outcomes.setdefault(entry.error_id, []).append(entry)
        return True

    def _add(self, entry: ErrorEntry) -> bool:
        if entry.id in self.errors or entry.id in self._evicted:
            return False
        self.errors[entry.id] = entry
        self.events.append(ADDED + entry.id)
        return True

    def _evict(self, entry: EvictionEntry) -> bool:
        gone = [one for one in entry.error_ids if self.errors.pop(one, None) is not None]
        self._evicted.update(gone)
        self.events.extend(EVICTED + one for one in gone)
        return bool(gone)

    def _forget(self, entry: ErrorEntry | OutcomeEntry) -> None:
        """Take back what could not be written; the last entry first."""
        if isinstance(entry, ErrorEntry):
            del self.errors[entry.id]
            self.events.pop()
        else:
            self._outcome_ids.discard(entry.id)
            self._outcomes[entry.error_id].remove(entry)


def _line(entry: Entry) -> str:
    return json.dumps(entry.model_dump(mode="json", by_alias=True), ensure_ascii=False)
