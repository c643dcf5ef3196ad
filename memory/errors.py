"""The memory of past errors: record what went wrong, recall what was like it and what helped."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from filelock import FileLock, Timeout

from ..errors import RunError
from ..schema import Attempt, Problem, RecalledError, Weakness, WrongStep
from ..seams import Embedder
from .index import ErrorIndex, Hit
from .journal import ALLOWED_SPLITS, ErrorEntry, ErrorJournal, OutcomeEntry, error_id

MERIT = {True: 0.1, None: 0.0, False: -0.1}
"""What an error's fate adds to its similarity: one that was fixed teaches more than one that was not."""
TEXT_CAP = 2000
"""Characters of one field that are embedded; the embedder reads fewer."""


class _Candidate(NamedTuple):
    entry: ErrorEntry
    outcome: OutcomeEntry | None
    similarity: float

    @property
    def usefulness(self) -> float:
        return round(self.similarity + MERIT[self.outcome.fixed if self.outcome else None], 6)


def describe(question: str, wrong_step: WrongStep | None, skill: str | None) -> str:
    """Return the text by which errors are compared: the question, the wrong step and the skill."""
    parts = [question[:TEXT_CAP]]
    if wrong_step is not None:
        parts.append(f"wrong step ({wrong_step.kind}): {wrong_step.found[:TEXT_CAP]}")
        skill = skill or wrong_step.skill
    if skill:
        parts.append(f"skill: {skill[:TEXT_CAP]}")
    return "\n".join(parts)


class ErrorMemory:
    """Errors of the student in a folder: `errors.jsonl` is the truth, `index/` can always be built again.

    One writer at a time, in any process. Its methods may be called from several threads. The vectors of new errors
    are made at the next `recall` (or `sync`), many at once.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        """Lock the folder and read the journal.

        Args:
            folder: Made if it is not there.
            embedder: Turns texts into vectors; an index made with another one is built again.

        Raises:
            RunError: If another writer has the folder, or the journal has a corrupt line.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
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
        self.index = ErrorIndex(folder / "index", embedder, _text)

    def record_error(self, problem: Problem, attempt: Attempt, weakness: Weakness | str | None = None) -> str:
        """Write one error; see `record_errors`."""
        return self.record_errors([(problem, attempt, weakness)])[0]

    def record_errors(self, errors: Iterable[tuple[Problem, Attempt, Weakness | str | None]]) -> list[str]:
        """Write the student's errors; those that are known already are left as they are.

        Args:
            errors: Problem, wrong attempt at it, and the weakness it was put down to.

        Returns:
            The id of each error, in the order given.

        Raises:
            ValueError: If an attempt is of a split that no teacher may see, is right, or is of another problem.
            RunError: If the journal cannot be written.
        """
        entries = [_entry(problem, attempt, _name(weakness)) for problem, attempt, weakness in errors]
        with self._mutex:
            self.journal.append(entries)
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
    ) -> tuple[RecalledError, ...]:
        """Return past errors like this one, the most useful first, at most one a problem.

        Usefulness is cosine similarity plus `MERIT`: at like similarity an error that was fixed comes before one
        whose fate is unknown, and that before one that was not fixed. Equal ones are ordered by id.

        Args:
            problem: The problem that is about to be taught.
            wrong_step: Where the student's answer went wrong, if known.
            weakness: The weakness it is taught for.
            limit: Errors wanted.
            before_cycle: Recall only errors of earlier cycles, so that a repeated cycle recalls what it did before.
            exclude_problem: Leave out errors at this same problem.
        """
        if limit <= 0:
            return ()
        text = describe(
            problem.question, wrong_step, _name(weakness) or (problem.skills[0] if problem.skills else None)
        )
        where = _filter(before_cycle, problem.id if exclude_problem else None)
        with self._mutex:
            return tuple(_recalled(one) for one in self._best(text, where, limit, before_cycle))

    def _best(self, text: str, where: dict[str, Any] | None, limit: int, before: int | None) -> list[_Candidate]:
        """Search wider until no error that was not seen could be among the best."""
        errors = self.journal.errors
        wanted = max(32, 4 * limit)
        while True:
            hits = self.index.query(text, wanted, where, errors)
            best = _one_a_problem([self._candidate(hit, before) for hit in hits])[:limit]
            exhausted = len(hits) < wanted
            if exhausted or (len(best) == limit and best[-1].usefulness > hits[-1].similarity + MERIT[True]):
                return best
            wanted *= 4

    def _candidate(self, hit: Hit, before: int | None) -> _Candidate:
        known = self.journal.outcomes(hit.id, up_to=before)
        fixed = [outcome for outcome in known if outcome.fixed]
        outcome = (fixed or known or (None,))[-1]
        return _Candidate(self.journal.errors[hit.id], outcome, round(hit.similarity, 6))

    def sync(self) -> None:
        """Bring the index up to the journal now rather than at the next recall."""
        with self._mutex:
            self.index.sync(self.journal.errors)

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
    return describe(error.question, error.wrong_step, error.weakness or (error.skills[0] if error.skills else None))


def _entry(problem: Problem, attempt: Attempt, weakness: str | None) -> ErrorEntry:
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
    )


def _filter(before_cycle: int | None, without_problem: str | None) -> dict[str, Any] | None:
    """Return the Chroma filter for these conditions; None for no condition."""
    conditions: list[dict[str, Any]] = []
    if before_cycle is not None:
        conditions.append({"cycle": {"$lt": before_cycle}})
    if without_problem is not None:
        conditions.append({"problem_id": {"$ne": without_problem}})
    return {"$and": conditions} if len(conditions) > 1 else next(iter(conditions), None)


def _one_a_problem(candidates: list[_Candidate]) -> list[_Candidate]:
    ranked = sorted(candidates, key=lambda c: (-c.usefulness, c.entry.id))
    first: dict[str, _Candidate] = {}
    for candidate in ranked:
        first.setdefault(candidate.entry.problem_id, candidate)
    return list(first.values())


def _recalled(candidate: _Candidate) -> RecalledError:
    entry, outcome = candidate.entry, candidate.outcome
    return RecalledError(
        id=entry.id,
        problem_id=entry.problem_id,
        question=entry.question,
        attempt=entry.attempt,
        wrong_step=entry.wrong_step,
        taught=outcome.taught if outcome else None,
        fixed=outcome.fixed if outcome else None,
        similarity=max(-1.0, min(1.0, candidate.similarity)),
    )
