"""Purify: the verified rationales of a problem become the one lesson that is trained on."""

from __future__ import annotations

from collections import defaultdict

from langgraph.runtime import Runtime

from ..errors import RunError
from ..schema import Assignment, Attempt, Lesson, LessonPlan, Problem, Rationale, Split
from .context import RunContext
from .own_answers import own_answers
from .state import CycleState
from .step import step


@step
async def purify(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Write the cycle's lessons, in the plan's order."""
    context, cycle = runtime.context, state["cycle"]
    plan = context.rundir.plan(cycle)
    if plan is None:
        raise RunError(f"{context.rundir.file('plans', cycle, 'json')}: missing; the run directory was changed?")
    lessons = make_lessons(context, plan, own_answers(context, state["student"], cycle))
    context.rundir.write_lessons(cycle, lessons)
    runtime.stream_writer({"kind": "lessons", "cycle": cycle, "count": len(lessons)})
    return CycleState(cycle=cycle)


def make_lessons(context: RunContext, plan: LessonPlan, own: dict[str, Attempt]) -> list[Lesson]:
    """Return one lesson for each planned problem that has a target."""
    problems = {p.id: p for p in context.problems[Split.TRAIN]}
    verified: dict[str, list[Rationale]] = defaultdict(list)
    order = {name: position for position, name in enumerate(context.teachers)}
    for rationale in context.rundir.rationales(plan.cycle):
        if rationale.verified:
            verified[rationale.problem_id].append(rationale)
    lessons = []
    for assignment in plan.assignments:
        problem = problems[assignment.problem_id]
        candidates = sorted(verified[problem.id], key=lambda r: order.get(r.teacher, len(order)))
        lesson = _lesson(context, problem, assignment, candidates, own.get(problem.id))
        if lesson:
            lessons.append(lesson.model_copy(update={"cycle": plan.cycle}))
    return lessons


def _lesson(
    context: RunContext, problem: Problem, assignment: Assignment, candidates: list[Rationale], own: Attempt | None
) -> Lesson | None:
    text, origin, rationale_id = "", "", None
    if own:
        text, origin = own.text, "student"
    elif candidates:
        chosen = context.purifier.purify(problem, candidates)
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
        chosen_over=tuple(r.id for r in candidates if r.id != rationale_id),
    )
