"""Teach: every planned problem gets a rationale from each of its teachers, through the lesson subgraph."""

from __future__ import annotations

import asyncio
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.runtime import Runtime

from ..errors import RunError, flat
from ..schema import (
    BASE,
    Assignment,
    Attempt,
    Diagnosis,
    EarlierRationale,
    LessonPlan,
    ProbeError,
    Problem,
    Rationale,
    RecalledError,
    Split,
    TeachingRequest,
)
from .call import FAILURES
from .context import RunContext
from .exam import known_attempts
from .history import History
from .lesson import LessonContext, is_final, lesson_graph
from .lineage import lineage
from .meeting import introduce
from .own_answers import own_answers
from .recall import recaller
from .state import CycleState
from .step import step

warnings.filterwarnings("ignore", message="`durability` has no effect", category=UserWarning)

HALF = 0.5
"""Pass rate under which a weakness that was taught persists. Another style for what is half learnt may cost a
small student more than it gives."""


@step
async def teach(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Write the rationales, so many at once; each lands in the run directory as soon as it is done."""
    context, cycle = runtime.context, state["cycle"]
    requests = Requests.read(context, cycle, state["student"])
    done = finished(context, cycle)
    written = {r.id for r in context.rundir.rationales(cycle)}
    own = own_answers(context, state["student"], cycle)
    drafts = range(context.config.teach.drafts)
    asked = [a for a in requests.plan.assignments if a.problem_id not in own]
    wanted = [(a, t, n) for a in asked for t in a.teachers for n in drafts]
    missing = [(a, t, n) for a, t, n in wanted if (a.problem_id, t, n) not in done]
    for name, teacher in context.teachers.items():
        introduce(context, state, teacher, f"teacher {name!r}")
    gate = asyncio.Semaphore(context.config.teach.concurrency)
    recall = recaller(context, state["student"])
    progress = {"kind": "progress", "node": "teach", "cycle": cycle, "total": len(missing)}
    runtime.stream_writer({**progress, "done": 0})

    async def one(assignment: Assignment, teacher: str, number: int) -> None:
        async with gate:
            revisions = await write_rationale(context, requests.request(assignment, teacher, number), teacher, recall)
        context.rundir.add_rationales(cycle, [one for one in revisions if one.id not in written])
        runtime.stream_writer({**progress, "advance": 1})

    await _all_or_first_error([one(*what) for what in missing])
    return CycleState(cycle=cycle)


def finished(context: RunContext, cycle: int) -> set[tuple[str, str, int]]:
    """Return the problems, teachers and drafts whose last revision is on disk; a kill may have cut the last off."""
    revisions: dict[tuple[str, str, int], list[Rationale]] = defaultdict(list)
    for rationale in context.rundir.rationales(cycle):
        revisions[rationale.problem_id, rationale.teacher, rationale.draft].append(rationale)
    limit = context.config.teach.max_revisions
    return {key for key, some in revisions.items() if is_final(some, limit)}


async def _all_or_first_error(jobs: list[Any]) -> None:
    """Run the jobs; the first failure cancels the others, and what is finished is already on disk."""
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)
    except ExceptionGroup as errors:
        first = errors.exceptions[0]
        raise first from first.__cause__  # where the plug-in raised, not where the group did


async def write_rationale(
    context: RunContext,
    request: TeachingRequest,
    teacher: str,
    recall: Callable[[TeachingRequest], tuple[RecalledError, ...]],
) -> list[Rationale]:
    """Run the lesson subgraph and return every revision, the last one being the teacher's final word."""
    handles = LessonContext(
        teacher=context.calls[teacher],
        task=context.task,
        recall=recall,
        fits=context.fits,
        hears=context.config.teach.hears,
        max_revisions=context.config.teach.max_revisions,
    )
    try:
        # A subgraph inherits the cycle's checkpointer and durability; it must keep neither (its texts are in files).
        # LangGraph then warns that a durability is given for nothing: see the filter above.
        state = await lesson_graph().ainvoke({"request": request}, context=handles, durability="exit")
    except (RunError, asyncio.CancelledError):
        raise
    except Exception as error:
        # Whatever a plug-in raises, such as the task's grader, a person reads one line, not our stack.
        raise RunError(f"the lesson on problem {request.problem.id} failed: {flat(error)}") from error
    drafts = list(state["drafts"])
    if drafts[-1].rejected in FAILURES:
        raise RunError(drafts[-1].text) from context.calls[teacher].cause
    return drafts


@dataclass(frozen=True)
class Requests:
    """Makes the teaching requests of a cycle from what lies in the run directory."""

    cycle: int
    plan: LessonPlan
    diagnosis: Diagnosis
    problems: dict[str, Problem]
    failed: dict[str, list[Attempt]]
    """Wrong attempts by train problem, the latest first."""
    earlier: dict[tuple[str, str], list[EarlierRationale]]
    history: History
    history_tokens: int
    persistent: tuple[str, ...]
    """Weaknesses at which the student fails more often than not, though they were taught."""
    max_tokens: int | None

    @classmethod
    def read(cls, context: RunContext, cycle: int, student: str) -> Requests:
        """Read all that teachers may see; never anything of the gate or test split."""
        rundir = context.rundir
        plan, diagnosis = rundir.plan(cycle), rundir.diagnosis(cycle)
        if plan is None or diagnosis is None:
            raise RunError(f"{rundir.path}: the plan or diagnosis of cycle {cycle} is missing; was it changed by hand?")
        return cls(
            cycle=cycle,
            plan=plan,
            diagnosis=diagnosis,
            problems={p.id: p for p in context.problems[Split.TRAIN]},
            failed=_failed(context, student, cycle),
            earlier=_earlier(context, cycle),
            history=History(_probe_errors(context, student, cycle), diagnosis),
            history_tokens=context.config.teach.history_tokens,
            persistent=_persistent(context, diagnosis, student),
            max_tokens=context.max_tokens,
        )

    def request(self, assignment: Assignment, teacher: str, draft: int = 0) -> TeachingRequest:
        """Return what one teacher gets for one draft for one problem."""
        weaknesses = {w.name: w for w in self.diagnosis.weaknesses}
        problem = self.problems[assignment.problem_id]
        return TeachingRequest(
            problem=problem,
            attempts=tuple(self.failed.get(assignment.problem_id, ())),
            weakness=weaknesses.get(assignment.weakness or ""),
            weak_skills=tuple(weaknesses),
            persistent=self.persistent,
            earlier=tuple(self.earlier.get((assignment.problem_id, teacher), ())),
            history=self.history.about(problem, assignment.weakness, self.history_tokens),
            cycle=self.cycle,
            draft=draft,
            max_tokens=self.max_tokens,
        )


def _failed(context: RunContext, student: str, cycle: int) -> dict[str, list[Attempt]]:
    """Return the wrong answers of this student and of those it came from, the latest first.

    What this student now answers right is no failure any more, and the answers of a student that it did not come from
    are nobody's.
    """
    line = [BASE, *(report.student for report in lineage(context.rundir.reports(), student))]
    attempts = [a for c in range(cycle + 1) for a in context.rundir.attempts(c) if a.split is Split.TRAIN]
    mended = {a.problem_id for a in attempts if a.student == student and a.correct}
    failed: dict[str, list[Attempt]] = defaultdict(list)
    for one in reversed(line):
        for attempt in attempts:
            if attempt.student == one and not attempt.correct and attempt.problem_id not in mended:
                failed[attempt.problem_id].append(attempt)
    return failed


def _probe_errors(context: RunContext, student: str, cycle: int) -> list[ProbeError]:
    """Return the wrong answers of this student on the probe split."""
    problems = {problem.id: problem for problem in context.problems[Split.PROBE]}
    attempts = known_attempts(context, student, Split.PROBE, cycle).values()
    return [ProbeError(problem=problems[a.problem_id], attempt=a) for a in attempts if not a.correct]


def _persistent(context: RunContext, diagnosis: Diagnosis, student: str) -> tuple[str, ...]:
    """Return the weaknesses that teaching has not brought to half; the others are getting better as they are taught."""
    line = lineage(context.rundir.reports(), student)
    before = {w.name for report in line if (d := context.rundir.diagnosis(report.cycle)) for w in d.weaknesses}
    return tuple(w.name for w in diagnosis.weaknesses if w.name in before and w.pass_rate < HALF)


def _earlier(context: RunContext, cycle: int) -> dict[tuple[str, str], list[EarlierRationale]]:
    """Return each teacher's rationales of earlier cycles, with how the student did that was trained on them."""
    earlier: dict[tuple[str, str], list[EarlierRationale]] = defaultdict(list)
    for c in range(1, cycle):
        trained = f"checkpoints/cycle-{c:03d}"
        after: dict[str, Attempt] = {}
        for attempt in context.rundir.attempts(c):
            if attempt.student == trained:
                after.setdefault(attempt.problem_id, attempt)
        taught = {lesson.rationale_id for lesson in context.rundir.lessons(c)}
        for r in context.rundir.rationales(c):
            answered = after.get(r.problem_id) if r.id in taught else None
            note = EarlierRationale(rationale_id=r.id, cycle=c, text=r.text, rejected=r.rejected, after=answered)
            earlier[r.problem_id, r.teacher].append(note)
    return earlier
