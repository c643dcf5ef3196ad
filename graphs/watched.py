"""Who watches a run: LangChain's callback handlers, which are told of every node and model call."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import merge_configs
from langgraph.config import get_config
from langgraph.runtime import Runtime

from .context import RunContext
from .state import CycleState
from .step import Node


def watched(context: RunContext) -> dict[str, Any]:
    """Return who watches the graph, and what they know the run by; all that runs inside of it inherits both."""
    name = context.rundir.path.resolve().name
    return {
        "run_name": f"tutelage {name}",
        "callbacks": list(context.callbacks),
        "tags": ["tutelage"],
        "metadata": {"run": name},
    }


async def act_watched(node: Node, state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Do a node's work inside of a graph that does not know the handlers of the run, and tell them of it."""
    if not runtime.context.callbacks:
        return await node(state, runtime)

    async def act(state: CycleState) -> CycleState:
        return await node(state, runtime)

    told: Any = {**watched(runtime.context), "run_name": node.__name__}
    return await RunnableLambda(act).ainvoke(state, merge_configs(get_config(), told))
