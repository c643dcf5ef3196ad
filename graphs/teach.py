"""Teach: every planned problem gets a rationale from each of its teachers, through the lesson subgraph."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from ..errors import RunError, flat
from ..lineage import checkpoint_of, lineage
from ..schema import (
    BY_HAND,
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
from ..tagging import tagged
from .context import RunContext
from .exam import known_attempts
from .failures import failed_attempts
from .lesson.call import NO_TEXT
from .lesson.classroom import Classroom
from .lesson.graph import LessonContext, lesson_graph, recursion_limit
from .lesson.history import History
from .lesson.recall import recaller
from .meeting import current_student
from .own_answers import own_answers
from .skills import problems_of
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
    own = own_answers(context, state["student"], cycle)
    drafts = range(context.config.teach.drafts)
    asked = [a for a in requests.plan.assignments if a.problem_id not in own]
    student = current_student(context, state)
    for name in context.roster.left:
        if failure := await context.roster.calls[name].meet(student):
            context.roster.bench(name, failure, runtime.stream_writer)
    recall = recaller(context, state["student"])

    async def write(assignment: Assignment, teacher: str, draft: int) -> list[Rationale]:
        return await write_rationale(context, requests.request(assignment, teacher, draft), teacher, recall)

    classroom = Classroom(context, cycle, write, runtime.stream_writer)
    work = [(a, t, n) for a in asked for t in a.teachers for n in drafts]
    await classroom.teach(work, own=len(requests.plan.assignments) - len(asked))
    for text in fruitless(context, cycle):
        runtime.stream_writer({"kind": "note", "cycle": cycle, "text": text})
    return CycleState(cycle=cycle)


def fruitless(context: RunContext, cycle: int) -> Iterator[str]:
    """Say of each teacher that still teaches whose texts were all turned away, and why."""
    for name in context.roster.left:
        rationales = [r for r in context.rundir.rationales(cycle) if r.teacher == name]
        if rationales and not any(r.verified for r in rationales):
            counts = Counter(str(r.rejected) for r in rationales)
            told = ", ".join(f"{reason} {n}" for reason, n in sorted(counts.items()))
            yield f"teacher {name!r}: nothing that it wrote in this cycle can be taught ({told}); look at it with trace"


async def write_rationale(
    context: RunContext,
    request: TeachingRequest,
    teacher: str,
    recall: Callable[[TeachingRequest], tuple[RecalledError, ...]],
) -> list[Rationale]:
    """Run the lesson subgraph and return every revision, the last one being the teacher's final word."""
    handles = LessonContext(
        teacher=context.roster.calls[teacher],
        critic=context.critic_call,
        task=context.task,
        checker=context.checker,
        recall=recall,
        fits=context.fits,
        hears=context.config.teach.hears,
        max_revisions=context.config.teach.max_revisions,
        check_steps=context.config.teach.check == "steps",
    )
    # A subgraph inherits the cycle's checkpointer, durability and recursion limit; it must keep none of them (its texts
    # are in files). LangGraph then warns that a durability is given for nothing: see the filter above.
    own: RunnableConfig = {"recursion_limit": recursion_limit(handles.max_revisions)}
    try:
        state = await lesson_graph().ainvoke({"request": request}, own, context=handles, durability="exit")
    except (RunError, asyncio.CancelledError):
        raise
    except Exception as error:
        # Whatever a plug-in raises, such as the task's grader, a person reads one line, not our stack.
        raise RunError(f"the lesson on problem {request.problem.id} failed: {flat(error)}") from error
    return list(state["drafts"])


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
            problems={p.id: p for p in tagged(context.problems[Split.TRAIN], diagnosis.discovered)},
            failed=failed_attempts(context, student, cycle),
            earlier=_earlier(context, cycle),
            history=History(_probe_errors(context, student, cycle), diagnosis),
            history_tokens=context.config.teach.history_tokens,
            persistent=_persistent(context, diagnosis, student),
            max_tokens=context.max_tokens,
        )

    def request(self, assignment: Assignment, teacher: str, draft: int = 0) -> TeachingRequest:
        """Return what one teacher gets for one draft for one problem."""
        weaknesses = {w.name: w for w in self.diagnosis.taught}
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


def _probe_errors(context: RunContext, student: str, cycle: int) -> list[ProbeError]:
    """Return the wrong answers of this student on the probe split."""
    problems = {problem.id: problem for problem in problems_of(context, Split.PROBE, cycle)}
    attempts = known_attempts(context, student, Split.PROBE, cycle).values()
    return [ProbeError(problem=problems[a.problem_id], attempt=a) for a in attempts if not a.correct]


def _persistent(context: RunContext, diagnosis: Diagnosis, student: str) -> tuple[str, ...]:
    """Return the weaknesses that teaching has not brought to half; the others are getting better as they are taught."""
    line = lineage(context.rundir.reports(), student)
    before = {w.name for report in line if (d := context.rundir.diagnosis(report.cycle)) for w in d.taught}
    return tuple(w.name for w in diagnosis.taught if w.name in before and w.pass_rate < HALF)


def _earlier(context: RunContext, cycle: int) -> dict[tuple[str, str], list[EarlierRationale]]:
    """Return each teacher's rationales of earlier cycles, with how the student did that was trained on them."""
    earlier: dict[tuple[str, str], list[EarlierRationale]] = defaultdict(list)
    for c in range(1, cycle):
        trained = checkpoint_of(c)
        after: dict[str, Attempt] = {}
        for attempt in context.rundir.attempts(c):
            if attempt.student == trained:
                after.setdefault(attempt.problem_id, attempt)
        taught = {lesson.rationale_id for lesson in context.rundir.lessons(c)}
        said = {review.rationale_id: review.why for review in context.rundir.reviews(c)}  # the last word counts
        for r in sorted(context.rundir.rationales(c), key=lambda r: (r.draft, r.revision)):  # on disk as they came
            if r.rejected in NO_TEXT:
                continue
            answered = after.get(r.problem_id) if r.id in taught else None
            rejected = f"{BY_HAND}: {said[r.id]}" if r.rejected == BY_HAND else r.rejected
            note = EarlierRationale(rationale_id=r.id, cycle=c, text=r.text, rejected=rejected, after=answered)
            earlier[r.problem_id, r.teacher].append(note)
    return earlier
