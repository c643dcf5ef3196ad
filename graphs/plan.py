"""Plan: pick the problems that are taught this cycle, and by whom."""

from __future__ import annotations

from collections import Counter

from langgraph.runtime import Runtime

from ..errors import RunError
from ..lineage import lineage
from ..model_thread import on_model_thread
from ..schema import Split
from ..seams import PlanningRequest
from ..tagging import tagged
from .context import RunContext
from .exam import known_attempts
from .meeting import introduce
from .planning import Past
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
    past = Past(context, line)
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
            outcomes=await on_model_thread(past.outcomes),
            tokens=settings.tokens,
            teacher_rates=past.teacher_rates(train),
            earlier=past.diagnoses(cycle),
            earlier_attempts=past.attempts(cycle),
        )
    )
    introduce(context, state)
    context.rundir.write_plan(await route(context, made, runtime.stream_writer))
    return CycleState(cycle=cycle)
