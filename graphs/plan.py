"""Plan: pick the problems that are taught this cycle, and by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from langgraph.runtime import Runtime

from ..errors import RunError
from ..model_thread import on_model_thread
from ..schema import CycleReport, Split
from ..seams import Outcome, PlanningRequest
from ..tagging import tagged
from .context import RunContext
from .exam import known_attempts
from .lineage import lineage
from .meeting import introduce
from .route import route
from .state import CycleState
from .step import step


@step
async def plan(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Ask the planner, within the cycle's number of lessons."""
    context, cycle = runtime.context, state["cycle"]
    diagnosis = context.rundir.diagnosis(cycle)
    if diagnosis is None:
        raise RunError(f"{context.rundir.file('diagnoses', cycle, 'json')}: missing; the run directory was changed?")
    attempts = list(known_attempts(context, state["student"], Split.TRAIN, cycle).values())
    line = lineage(context.rundir.reports(), state["student"])
    lessons_of = [{lesson.problem_id for lesson in context.rundir.lessons(report.cycle)} for report in line]
    taught = Counter(problem for some in lessons_of for problem in some)
    train, settings = tagged(context.problems[Split.TRAIN], diagnosis.discovered), context.config.plan
    lessons = len(train) if settings.lessons is None else settings.lessons
    made = context.planner.plan(
        PlanningRequest(
            cycle=cycle,
            diagnosis=diagnosis,
            problems=train,
            attempts=attempts,
            taught=taught,
            teachers=tuple(context.teachers),
            lessons=round(lessons * settings.growth ** (cycle - 1)),
            seed=context.config.seed * 1000 + cycle,
            outcomes=await on_model_thread(_outcomes, context, line),
            tokens=settings.tokens,
        )
    )
    introduce(context, state)
    context.rundir.write_plan(await route(context, made, runtime.stream_writer))
    return CycleState(cycle=cycle)


def _outcomes(context: RunContext, line: Sequence[CycleReport]) -> list[Outcome]:
    """Return what became of each explanation in a lineage; the student's own answers are none."""
    found = []
    for report in line:
        tokens = Counter[str]()
        for rationale in context.rundir.rationales(report.cycle):
            tokens[rationale.problem_id] += context.count_tokens(rationale.text)
        attempts = context.rundir.attempts(report.cycle)
        right = {a.problem_id: a.correct for a in attempts if a.student == report.student and a.sample == 0}
        lessons = [lesson for lesson in context.rundir.lessons(report.cycle) if lesson.rationale_id]
        explained = dict.fromkeys(lesson.problem_id for lesson in lessons)  # once, by however many rationales
        found += [Outcome(problem, tokens[problem], right.get(problem)) for problem in explained]
    return found
