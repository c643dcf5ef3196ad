"""The classroom: the rationales of a cycle are written; what a failing teacher leaves undone goes to others."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from ...errors import BudgetSpent, RunError
from ...schema import Assignment, Rationale
from ..context import RunContext
from .call import FAILURES, NO_TEXT
from .graph import is_final
from .roster import Event

Work = tuple[Assignment, str, int]
"""What is planned for a problem, a teacher that is asked about it, and the number of its draft."""


class Classroom:
    """Has the rationales of one cycle written.

    A text lands in the run directory at once. That a teacher failed is written when all is done, so that a run which
    ended before asks it again when it is resumed.
    """

    def __init__(
        self,
        context: RunContext,
        cycle: int,
        write: Callable[[Assignment, str, int], Awaitable[list[Rationale]]],
        tell: Callable[[Event], None],
    ) -> None:
        """Read what is written already.

        Args:
            context: The run.
            cycle: The cycle.
            write: Asks a teacher for a draft, and returns every revision of it, the teacher's final word the last.
            tell: Takes the events.
        """
        self._context, self._cycle, self._ask, self._tell = context, cycle, write, tell
        self._written = {r.id: r for r in context.rundir.rationales(cycle)}
        self._done = finished(self._written.values(), context.config.teach.max_revisions)
        self._asked: dict[tuple[str, int], set[str]] = defaultdict(set)
        for problem_id, teacher, draft in self._done:
            self._asked[problem_id, draft].add(teacher)
        texts = [r for r in self._written.values() if r.rejected not in NO_TEXT]
        self._answered = {(r.problem_id, r.draft) for r in texts if (r.problem_id, r.teacher, r.draft) in self._done}
        """Problems and drafts for which somebody has written something."""
        self._failed: list[tuple[Assignment, Rationale]] = []
        self._ended: RunError | None = None
        """Why no new lesson is begun; those under way are kept, since they are paid for."""
        self._gate = asyncio.Semaphore(context.config.teach.concurrency)
        self._tasks = asyncio.TaskGroup()

    async def teach(self, work: Iterable[Work], own: int) -> None:
        """Ask the teachers for what is missing.

        Args:
            work: What is planned for teachers.
            own: How many lessons of the plan are the student's own answers.

        Raises:
            RunError: If no teacher is left, nothing at all can be taught, or the budget is spent; what was under way is
                finished in that case.
        """
        missing = [one for one in work if not self._is_done(*one)]
        for assignment, teacher, draft in missing:
            self._asked[assignment.problem_id, draft].add(teacher)
        progress = {"kind": "progress", "node": "teach", "cycle": self._cycle, "total": len(missing)}
        self._tell({**progress, "done": 0})

        async def planned(assignment: Assignment, teacher: str, draft: int) -> None:
            await self._lesson(assignment, teacher, draft)
            self._tell({**progress, "advance": 1})

        try:
            async with self._tasks:
                for one in missing:
                    self._tasks.create_task(planned(*one))
        except ExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__  # where the plug-in raised, not where the group did
        if self._ended:
            raise self._ended
        if self._failed and not own and all(r.rejected in FAILURES for r in self._written.values()):
            raise self._context.roster.nobody_left()
        self._write([rationale for _, rationale in self._failed])

    def _is_done(self, assignment: Assignment, teacher: str, draft: int) -> bool:
        """Whether a run that ended before has left nothing to do; a routed problem needs somebody's text."""
        if assignment.routed:
            return (assignment.problem_id, draft) in self._answered
        return (assignment.problem_id, teacher, draft) in self._done

    async def _lesson(self, assignment: Assignment, teacher: str | None, draft: int) -> None:
        async with self._gate:
            while teacher and not self._ended and not await self._settled(assignment, teacher, draft):
                teacher = self._stand_in(assignment, draft)

    async def _settled(self, assignment: Assignment, teacher: str, draft: int) -> bool:
        """Ask a teacher; whether the problem needs no other in its place."""
        roster = self._context.roster
        if teacher not in roster.left or (assignment.problem_id, teacher, draft) in self._done:
            return False
        number = roster.begin(teacher)
        began = time.perf_counter()
        try:
            revisions = await self._ask(assignment, teacher, draft)
        except BudgetSpent as spent:
            self._ended = spent
            return True
        self._tell_written(revisions, time.perf_counter() - began)
        *before, last = revisions
        silent = assignment.routed and all(one.rejected in NO_TEXT for one in revisions)
        benched = roster.note(number, last, self._tell)
        if last.rejected not in FAILURES:
            self._write(revisions)
            return not silent
        self._write(before)
        if benched:
            self._hand_over(teacher)
        self._failed.append((assignment, last))
        return teacher in roster.left and not silent

    def _tell_written(self, revisions: list[Rationale], seconds: float) -> None:
        """Tell which rationales a lesson has ended with; when, and how long it took, is told nowhere else."""
        last = revisions[-1]
        whose = {"cycle": self._cycle, "problem_id": last.problem_id, "teacher": last.teacher, "draft": last.draft}
        ids = [one.id for one in revisions]
        self._tell({"kind": "written", **whose, "rationales": ids, "seconds": round(seconds, 3)})

    def _hand_over(self, teacher: str) -> None:
        """Let others teach where a teacher failed before it was benched."""
        for assignment, rationale in self._failed:
            if assignment.routed:
                continue  # the next best was asked at once
            if rationale.teacher == teacher and (stand_in := self._stand_in(assignment, rationale.draft)):
                self._tasks.create_task(self._lesson(assignment, stand_in, rationale.draft))

    def _stand_in(self, assignment: Assignment, draft: int) -> str | None:
        roster, asked = self._context.roster, self._asked[assignment.problem_id, draft]
        if not roster.left:
            self._ended = self._ended or roster.nobody_left()
        best = sorted(assignment.scores, key=assignment.scores.__getitem__, reverse=True) if assignment.routed else ()
        stand_in = roster.stand_in(asked, best)
        if stand_in:
            asked.add(stand_in)
        return stand_in

    def _write(self, revisions: list[Rationale]) -> None:
        new = [one for one in revisions if one.id not in self._written]
        self._written.update((one.id, one) for one in new)
        self._context.rundir.add_rationales(self._cycle, new)


def finished(rationales: Iterable[Rationale], max_revisions: int) -> set[tuple[str, str, int]]:
    """Return the problems, teachers and drafts whose last revision is on disk; a kill may have cut the last off."""
    revisions: dict[tuple[str, str, int], list[Rationale]] = defaultdict(list)
    for rationale in rationales:
        revisions[rationale.problem_id, rationale.teacher, rationale.draft].append(rationale)
    return {key for key, some in revisions.items() if is_final(some, max_revisions)}
