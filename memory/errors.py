"""The memory of past errors: record what went wrong, recall what was like it and what helped."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from ..errors import RunError
from ..schema import Attempt, Problem, RecalledError, Weakness, WrongStep
from ..seams import Embedder
from .connection import Connection, FolderConnection
from .description import describe_entry, describe_query
from .eviction import to_evict
from .index import ErrorIndex
from .journal import ALLOWED_SPLITS, ErrorEntry, ErrorJournal, OutcomeEntry, error_id
from .merit import rank, weigh
from .search import DENSE, HybridSearch, Scope

CAPACITY = 100_000
"""Errors that are kept by default."""
POOL = 32
"""Errors that each of the two searches brings at first."""


class ErrorMemory:
    """Errors of the student in a folder: `errors.jsonl` is the truth, `index/` can always be built again.

    One writer at a time, in any process. Its methods may be called from several threads. The vectors of new errors
    are made at the next `recall` (or `sync`), many at once.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        task: str = "",
        capacity: int = CAPACITY,
        connection: Connection | None = None,
        dense: float = DENSE,
    ) -> None:
        """Lock the folder and read the journal.

        Args:
            folder: Made if it is not there.
            embedder: Turns texts into vectors; an index made with another one is built again.
            task: Written to new errors; only its errors are recalled. Empty names none, and recalls any.
            capacity: Errors kept; `to_evict` says what a full memory forgets.
            connection: Where the vectors lie; None is the folder `index` beside the journal.
            dense: Share of the vectors in the hybrid search; see `HybridSearch`.

        Raises:
            RunError: If another writer has the folder, or the journal has a corrupt line.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.task = folder, task
        self._capacity = capacity
        self._mutex = threading.RLock()
        self._lock = FileLock(folder / "lock", timeout=0)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise RunError(
                f"{folder / 'lock'}: another process is writing this memory; wait for it or end it"
            ) from error
        try:
            self.journal = ErrorJournal(folder / "errors.jsonl")
        except BaseException:
            self._lock.release()
            raise
        self.index = ErrorIndex(connection or FolderConnection(folder / "index"), embedder, _text)
        self._search = HybridSearch(self.journal, self.index, dense)

    def record_error(self, problem: Problem, attempt: Attempt, weakness: Weakness | str | None = None) -> str:
        """Write one error; see `record_errors`."""
        return self.record_errors([(problem, attempt, weakness)])[0]

    def record_errors(self, errors: Iterable[tuple[Problem, Attempt, Weakness | str | None]]) -> list[str]:
        """Write the student's errors; those that are known already, or were evicted, are left as they are.

        Args:
            errors: Problem, wrong attempt at it, and the weakness it was put down to.

        Returns:
            The id of each error, in the order given.

        Raises:
            ValueError: If an attempt is of a split that no teacher may see, is right, or is of another problem.
            RunError: If the journal cannot be written.
        """
        entries = [_entry(problem, attempt, _name(weakness), self.task) for problem, attempt, weakness in errors]
        with self._mutex:
            self.journal.append(entries)
            if surplus := to_evict(self.journal, self._capacity):
                self.journal.evict(surplus)
        return [entry.id for entry in entries]

    def record_outcome(self, error_id: str, *, rationale_id: str | None, taught: str, fixed: bool, cycle: int) -> None:
        """Write what became of an error; the same rationale in the same cycle is written once.

        Args:
            error_id: An error that was recorded.
            rationale_id: The rationale that the lesson came from; None for the student's own text.
            taught: The text that was trained on.
            fixed: Whether the student was right afterwards.
            cycle: The cycle in which it was taught.

        Raises:
            ValueError: If there is no such error.
            RunError: If the journal cannot be written.
        """
        outcome = OutcomeEntry(error_id=error_id, rationale_id=rationale_id, taught=taught, fixed=fixed, cycle=cycle)
        self.record_outcomes([outcome])

    def record_outcomes(self, outcomes: Iterable[OutcomeEntry]) -> None:
        """Write many outcomes at once; see `record_outcome`."""
        batch = list(outcomes)
        with self._mutex:
            unknown = next((o.error_id for o in batch if o.error_id not in self.journal.errors), None)
            if unknown is not None:
                raise ValueError(f"no error {unknown!r} in {self.journal.path}")
            self.journal.append(batch)

    def recall(
        self,
        problem: Problem,
        wrong_step: WrongStep | None,
        weakness: Weakness | str | None,
        limit: int,
        before_cycle: int | None = None,
        exclude_problem: bool = False,
        *,
        attempt: Attempt | None = None,
        students: Iterable[str] | None = None,
    ) -> tuple[RecalledError, ...]:
        """Return past errors like this one, the most useful first, at most one a problem.

        Usefulness is relevance (see `HybridSearch`) plus the merit of what was taught for it (see `merit`). Equal
        ones are ordered by id.

        Args:
            problem: The problem that is about to be taught.
            wrong_step: Where the student's answer went wrong, if known; else that of `attempt` is taken.
            weakness: The weakness it is taught for.
            limit: Errors wanted.
            before_cycle: Recall only errors of earlier cycles, so that a repeated cycle recalls what it did before.
            exclude_problem: Leave out errors at this same problem.
            attempt: The student's wrong answer, if there is one: errors that are wrong in the same way are sought.
            students: Recall only errors of these students; None recalls anybody's.
        """
        if limit <= 0:
            return ()
        sought = describe_query(problem, wrong_step, _name(weakness), attempt)
        scope = Scope(self.task, None if students is None else frozenset(students), before_cycle)
        but = (problem.id,) if exclude_problem else ()
        with self._mutex:
            if not self.journal.errors:
                return ()
            self._search.sync()
            vector, wanted = self._search.vector(sought), max(POOL, 4 * limit)
            while True:
                matches, exhausted = self._search.near(sought, vector, wanted, scope, but)
                known = ((match, self.journal.outcomes(match.entry.id, before_cycle)) for match in matches)
                best = rank(weigh(known, _name(weakness), problem.skills), limit)
                if exhausted or len(best) == limit:
                    return tuple(best)
                wanted *= 4

    def sync(self) -> None:
        """Bring the index up to the journal now rather than at the next recall."""
        with self._mutex:
            self._search.sync()

    def close(self) -> None:
        """Release the index and the lock; may be called twice."""
        with self._mutex:
            self.index.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _name(weakness: Weakness | str | None) -> str | None:
    return weakness.name if isinstance(weakness, Weakness) else weakness


def _text(error: ErrorEntry) -> str:
    return describe_entry(error).text


def _entry(problem: Problem, attempt: Attempt, weakness: str | None, task: str) -> ErrorEntry:
    if attempt.split not in ALLOWED_SPLITS:
        raise ValueError(f"an error of the {attempt.split} split must not be remembered: teachers would see it")
    if attempt.correct:
        raise ValueError(f"attempt {attempt.id!r} is right: not an error")
    if attempt.problem_id != problem.id:
        raise ValueError(f"attempt {attempt.id!r} is of problem {attempt.problem_id!r}, not {problem.id!r}")
    return ErrorEntry(
        id=error_id(problem.id, attempt.student, attempt.text),
        cycle=attempt.cycle,
        split=attempt.split,
        student=attempt.student,
        problem_id=problem.id,
        question=problem.question,
        answer=problem.answer,
        attempt_id=attempt.id,
        attempt=attempt.text,
        wrong_step=attempt.wrong_step,
        weakness=weakness,
        skills=problem.skills,
        given=attempt.answer,
        task=task,
    )
