"""Purify: the verified rationales of a problem become what is trained on, mostly one lesson."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from langgraph.runtime import Runtime

from ..errors import RunError
from ..model_thread import on_model_thread
from ..schema import Assignment, Attempt, Decision, Lesson, LessonPlan, Problem, Rationale, Split
from .context import RunContext
from .decide import decide, nothing_to_choose
from .failures import failed_attempts
from .last_words import last_words
from .meeting import introduce
from .own_answers import own_answers
from .route import prepare
from .score import Candidates, candidates, score
from .skills import problems_of
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
    introduce(context, state)
    await on_model_thread(prepare, context, cycle)
    verified = candidates(context, cycle)
    open_ = {problem: some for problem, some in verified.items() if problem not in own}
    verified |= await score(context, runtime.stream_writer, cycle, open_)
    taught, decisions = await _decide_all(context, plan, own, verified)
    context.rundir.write_decisions(cycle, decisions)
    chosen = sum(bool(decision.candidates) for decision in decisions)
    for why, count in Counter(decision.fallback for decision in decisions if decision.fallback).most_common(1):
        text = f"purifier {context.purifier_name}: went by something simpler for {count} of {chosen}: {why}"
        runtime.stream_writer({"kind": "note", "cycle": cycle, "text": text})
    lessons = make_lessons(context, plan, own, taught, verified)
    lessons = with_wrong_attempts(lessons, failed_attempts(context, state["student"], cycle))
    context.rundir.write_lessons(cycle, lessons)
    runtime.stream_writer({"kind": "lessons", "cycle": cycle, "count": len(lessons)})
    return CycleState(cycle=cycle)


async def _decide_all(
    context: RunContext, plan: LessonPlan, own: dict[str, Attempt], verified: Candidates
) -> tuple[Taught, list[Decision]]:
    """Let the purifier decide for each problem, so many at once, and keep what it wrote itself."""
    written = last_words(r for r in context.rundir.rationales(plan.cycle) if r.teacher in context.teachers)
    problems = {p.id: p for p in problems_of(context, Split.TRAIN, plan.cycle)}
    wanted = [a.problem_id for a in plan.assignments if a.problem_id not in own and verified.get(a.problem_id)]
    gate = asyncio.Semaphore(context.config.teach.concurrency)

    async def one(name: str) -> tuple[list[Rationale], Decision]:
        async with gate:
            return await decide(context, plan.cycle, problems[name], written[name], verified[name])

    came = await asyncio.gather(*map(one, wanted), return_exceptions=True)  # what is under way is paid for
    decided = [each for each in came if not isinstance(each, BaseException)]
    _keep(context, plan.cycle, [rationale for rationales, _ in decided for rationale in rationales])
    if failed := next((each for each in came if isinstance(each, BaseException)), None):
        raise failed
    taught = {
        name: [r for r in rationales if r.verified] for name, (rationales, _) in zip(wanted, decided, strict=True)
    }
    made = {decision.problem_id: decision for _, decision in decided}
    asked = [a.problem_id for a in plan.assignments if a.problem_id not in own and written.get(a.problem_id)]
    return taught, [made.get(name) or nothing_to_choose(context, plan.cycle, name, written[name]) for name in asked]


def _keep(context: RunContext, cycle: int, taught: Sequence[Rationale]) -> None:
    """Write the purifier's own rationales beside those of the teachers, in place of any it wrote before a crash."""
    known = context.rundir.rationales(cycle)
    teachers = [rationale for rationale in known if rationale.teacher in context.teachers]
    own = [rationale for rationale in taught if rationale.teacher not in context.teachers]
    if own or len(teachers) < len(known):
        context.rundir.write_rationales(cycle, [*teachers, *own])


def make_lessons(
    context: RunContext, plan: LessonPlan, own: dict[str, Attempt], taught: Taught, verified: Candidates
) -> list[Lesson]:
    """Return the lessons of each planned problem that has a target."""
    problems = {p.id: p for p in problems_of(context, Split.TRAIN, plan.cycle)}
    lessons: list[Lesson] = []
    for assignment in plan.assignments:
        problem = problems[assignment.problem_id]
        some = verified.get(problem.id, [])
        if attempt := own.get(problem.id):
            lessons.append(_lesson(context, problem, assignment, some, attempt))
        targets = taught.get(problem.id, [])
        chosen = {target.id for target in targets}
        lessons += [_lesson(context, problem, assignment, some, target, chosen) for target in targets]
    return [lesson.model_copy(update={"cycle": plan.cycle}) for lesson in lessons]


def with_wrong_attempts(lessons: Sequence[Lesson], failed: Mapping[str, Sequence[Attempt]]) -> list[Lesson]:
    """Return the lessons with the student's latest wrong attempt at each problem, where it has one that says anything.

    Args:
        lessons: Of one cycle.
        failed: Wrong attempts by problem, the latest first.
    """
    said = {name: [text for one in some if (text := one.text.strip())] for name, some in failed.items()}
    latest = {name: texts[0] for name, texts in said.items() if texts}
    return [lesson.model_copy(update={"wrong": latest.get(lesson.problem_id, "")}) for lesson in lessons]


def _lesson(
    context: RunContext,
    problem: Problem,
    assignment: Assignment,
    verified: Sequence[Rationale],
    target: Rationale | Attempt,
    chosen: Collection[str] = (),
) -> Lesson:
    written = isinstance(target, Rationale)
    return Lesson(
        problem_id=problem.id,
        cycle=0,
        question=problem.question,
        text=target.text.strip(),
        origin=target.teacher if isinstance(target, Rationale) else "student",
        rationale_id=target.id if written else None,
        weight=assignment.weight / max(1, len(chosen)),
        system=context.task.instruction,
        answer=problem.answer,
        chosen_over=tuple(one.id for one in verified if one.id not in chosen),
    )
