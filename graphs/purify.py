"""Purify: the verified rationales of a problem become the one lesson that is trained on."""

from __future__ import annotations

from langgraph.runtime import Runtime

from ..errors import RunError
from ..schema import Assignment, Attempt, Lesson, LessonPlan, Problem, Rationale, Split
from .context import RunContext
from .meeting import introduce
from .own_answers import own_answers
from .score import candidates, score
from .state import CycleState
from .step import step


@step
async def purify(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Write the cycle's lessons, in the plan's order."""
    context, cycle = runtime.context, state["cycle"]
    plan = context.rundir.plan(cycle)
    if plan is None:
        raise RunError(f"{context.rundir.file('plans', cycle, 'json')}: missing; the run directory was changed?")
    own = own_answers(context, state["student"], cycle)
    introduce(context, state, context.purifier, "purifier")
    open_ = {problem: some for problem, some in candidates(context, cycle).items() if problem not in own}
    await score(context, runtime.stream_writer, cycle, open_)
    lessons = make_lessons(context, plan, own)
    context.rundir.write_lessons(cycle, lessons)
    runtime.stream_writer({"kind": "lessons", "cycle": cycle, "count": len(lessons)})
    return CycleState(cycle=cycle)


def make_lessons(context: RunContext, plan: LessonPlan, own: dict[str, Attempt]) -> list[Lesson]:
    """Return one lesson for each planned problem that has a target."""
    problems = {p.id: p for p in context.problems[Split.TRAIN]}
    verified = candidates(context, plan.cycle)
    lessons = []
    for assignment in plan.assignments:
        problem = problems[assignment.problem_id]
        lesson = _lesson(context, problem, assignment, verified[problem.id], own.get(problem.id))
        if lesson:
            lessons.append(lesson.model_copy(update={"cycle": plan.cycle}))
    return lessons


def _lesson(
    context: RunContext, problem: Problem, assignment: Assignment, verified: list[Rationale], own: Attempt | None
) -> Lesson | None:
    text, origin, rationale_id = "", "", None
    if own:
        text, origin = own.text, "student"
    elif verified:
        chosen = context.purifier.purify(problem, verified)
        text, origin, rationale_id = chosen.text, chosen.teacher, chosen.id
    else:
        return None
    return Lesson(
        problem_id=problem.id,
        cycle=0,
        question=problem.question,
        text=text.strip(),
        origin=origin,
        rationale_id=rationale_id,
        weight=assignment.weight,
        system=context.task.instruction,
        answer=problem.answer,
        chosen_over=tuple(r.id for r in verified if r.id != rationale_id),
    )
