"""Finish: the best checkpoint sits the test, once, and the run's result is written."""

from __future__ import annotations

from langgraph.runtime import Runtime

from ..schema import BASE, Split
from .context import RunContext
from .exam import accuracy, examine_split, known_attempts
from .measures import measure_best
from .state import CycleState
from .step import step


@step
async def finish(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Examine the best checkpoint on the test split and write `result.json`."""
    context, cycle, best = runtime.context, state["cycle"], state["best"]
    problems = context.problems[Split.TEST]
    after = await examine_split(
        context, runtime.stream_writer, cycle=cycle, student=best, split=Split.TEST, problems=problems
    )
    before = known_attempts(context, BASE, Split.TEST, cycle).values()
    measures = await measure_best(context, runtime.stream_writer, cycle, best)
    context.rundir.write_result(
        {
            "stop_reason": state["stop_reason"],
            "student": {"base": context.config.student.model, "best": best, "best_cycle": state["best_cycle"]},
            "test": {"base": accuracy(before), "best": accuracy(after), "n": len(after)},
            **({} if measures is None else {"measures": measures}),
        }
    )
    runtime.stream_writer({"kind": "result"})
    return CycleState(cycle=cycle)
