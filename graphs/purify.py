"""Purify: the verified rationales of a problem become what is trained on, mostly one lesson."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from langgraph.runtime import Runtime

from ..errors import RunError
from ..model_thread import on_model_thread
from ..schema import Assignment, Attempt, Decision, Lesson, LessonPlan, Problem, Rationale, Split
from .context import RunContext
from .decide import decide
from .last_words import last_words
from .meeting import introduce
from .own_answers import own_answers
from .route import prepare
from .score import candidates, score
from .state import CycleState
from .step import step

Taught = dict[str, list[Rationale]]
"""What is taught for each problem."""


@step
async def purify(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Write the cycle's decisions and lessons, in the plan's order."""
    context, cycle = runtime.context, state["cycle"]
    plan = context.rundir.plan(cycle)
    if plan is None:
        raise RunError(f"{context.rundir.file('plans', cycle, 'json')}: missing; the run directory was changed?")
    own = own_answers(context, state["student"], cycle)
    introduce(context, state, context.purifier, "purifier")
    await on_model_thread(prepare, context, cycle)
    open_ = {problem: some for problem, some in candidates(context, cycle).items() if problem not in own}
    await score(context, runtime.stream_writer, cycle, open_)
    taught, decisions = await _decide_all(context, plan, own)
    context.rundir.write_decisions(cycle, decisions)
    lessons = make_lessons(context, plan, own, taught)
    context.rundir.write_lessons(cycle, lessons)
    runtime.stream_writer({"kind": "lessons", "cycle": cycle, "count": len(lessons)})
    return CycleState(cycle=cycle)


async def _decide_all(context: RunContext, plan: LessonPlan, own: dict[str, Attempt]) -> tuple[Taught, list[Decision]]:
    """Let the purifier decide for each problem, so many at once, and keep what it wrote itself."""
    verified = candidates(context, plan.cycle)
    written = last_words(context.rundir.rationales(plan.cycle))
    problems = {p.id: p for p in context.problems[Split.TRAIN]}
    wanted = [a.problem_id for a in plan.assignments if a.problem_id not in own and verified.get(a.problem_id)]
    gate = asyncio.Semaphore(context.config.teach.concurrency)

    async def one(name: str) -> tuple[list[Rationale], Decision]:
        async with gate:
            return await decide(context, plan.cycle, problems[name], written[name], verified[name])

    decided = await asyncio.gather(*map(one, wanted))
    _keep(context, plan.cycle, [rationale for rationales, _ in decided for rationale in rationales])
    taught = {
        name: [r for r in rationales if r.verified] for name, (rationales, _) in zip(wanted, decided, strict=True)
    }
    return taught, [decision for _, decision in decided]


def _keep(context: RunContext, cycle: int, taught: Sequence[Rationale]) -> None:
    """Write the purifier's own rationales beside those of the teachers, once."""
    known = {rationale.id for rationale in context.rundir.rationales(cycle)}
    context.rundir.add_rationales(cycle, [rationale for rationale in taught if rationale.id not in known])


def make_lessons(context: RunContext, plan: LessonPlan, own: dict[str, Attempt], taught: Taught) -> list[Lesson]:
    """Return the lessons of each planned problem that has a target."""
    problems = {p.id: p for p in context.problems[Split.TRAIN]}
    verified = candidates(context, plan.cycle)
    lessons: list[Lesson] = []
    for assignment in plan.assignments:
        problem = problems[assignment.problem_id]
        some = verified.get(problem.id, [])
        if attempt := own.get(problem.id):
            lessons.append(_lesson(context, problem, assignment, some, attempt))
        targets = taught.get(problem.id, [])
        lessons += [_lesson(context, problem, assignment, some, target, len(targets)) for target in targets]
    return [lesson.model_copy(update={"cycle": plan.cycle}) for lesson in lessons]


def _lesson(
    context: RunContext,
    problem: Problem,
    assignment: Assignment,
    verified: Sequence[Rationale],
    target: Rationale | Attempt,
    share: int = 1,
) -> Lesson:
    written = isinstance(target, Rationale)
    return Lesson(
        problem_id=problem.id,
        cycle=0,
        question=problem.question,
        text=target.text.strip(),
        origin=target.teacher if isinstance(target, Rationale) else "student",
        rationale_id=target.id if written else None,
        weight=assignment.weight / share,
        system=context.task.instruction,
        answer=problem.answer,
        chosen_over=tuple(one.id for one in verified if one.id != target.id),
    )
