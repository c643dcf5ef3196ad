"""Review: the run waits until a person has looked at a cycle's lessons, and teaches what the person decided.

The answers are in the run directory, not in what LangGraph is resumed with: the node looks there each time it is run,
and what it writes follows from what it finds.
"""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from ..reviews import Standing, count_verdicts, read_proposals
from ..rundir import RunDir
from .context import RunContext
from .reviewed import apply_reviews
from .state import CycleState
from .step import step


def wants_review(state: CycleState, runtime: Runtime[RunContext]) -> Literal["review", "consolidate"]:
    """Name the next node: a person's, where a cycle has one look."""
    context = runtime.context
    return after_purify(context.rundir, state["cycle"], context.config.review)


def after_purify(rundir: RunDir, cycle: int, wanted: bool) -> Literal["review", "consolidate"]:
    """Name the node that comes after a cycle's lessons.

    A run whose nodes are replayed may be configured otherwise by now than when it went by, so what it left counts more:
    proposals have to become lessons again, and what is trained already is not reviewed.

    Args:
        rundir: The run.
        cycle: Which of its cycles.
        wanted: Whether the configuration has a person look.
    """
    if rundir.file("proposals", cycle).exists():
        return "review"
    trained = rundir.step(cycle, "consolidate") is not None or rundir.file("reports", cycle, "json").exists()
    return "review" if wanted and not trained else "consolidate"


@step
async def review(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Wait as long as a lesson has no review; then write the lessons as they were decided on."""
    context, cycle = runtime.context, state["cycle"]
    context.rundir.propose_lessons(cycle)
    while context.config.review:
        standing = Standing(cycle, read_proposals(context.rundir, cycle))
        if not standing.left:
            break
        interrupt({"cycle": cycle, "lessons": len(standing.proposals), "left": len(standing.left)})
    lessons = await apply_reviews(context, cycle)
    counts = count_verdicts(context.rundir, cycle)
    runtime.stream_writer({"kind": "reviewed", "cycle": cycle, "count": lessons, "by_hand": counts})
    return CycleState(cycle=cycle)
