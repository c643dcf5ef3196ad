"""Make a node idempotent: what has finished with the same input is not done again.

LangGraph's resume may run a finished node a second time, so each node's result is also noted in the run directory,
keyed by cycle, node and a hash of the state that it started from.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import Protocol, cast

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from ..errors import InputError, RunError, one_line
from ..hashing import content_hash
from .context import RunContext
from .state import CycleState


class Node(Protocol):
    """A node of the cycle graph."""

    __name__: str

    async def __call__(self, state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
        """Do the node's work and return what it changes in the state."""
        ...


def step(node: Node) -> Node:
    """Wrap a node of the cycle graph; its name is the function's."""
    name = node.__name__

    @wraps(node)
    async def once(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
        cycle, rundir = state.get("cycle", 0), runtime.context.rundir
        key = content_hash(dict(state))
        done = rundir.step(cycle, name)
        if done and done["input"] == key:
            rundir.add_seconds(cycle)
            runtime.stream_writer({"kind": "skipped", "node": name, "cycle": cycle, "why": "already done"})
            return cast(CycleState, done["update"])
        runtime.stream_writer({"kind": "started", "node": name, "cycle": cycle})
        began = time.perf_counter()
        try:
            update = await node(state, runtime)
        except (InputError, RunError, GraphBubbleUp):  # the last of these is how a node waits for a person
            raise
        except Exception as error:
            # LangGraph writes what a node raises into its checkpoints, and a plug-in's exception may hold a secret.
            raise RunError(one_line(error)) from error
        seconds = round(time.perf_counter() - began, 3)
        rundir.write_step(cycle, name, {"input": key, "update": dict(update), "seconds": seconds})
        rundir.add_seconds(cycle)
        runtime.stream_writer({"kind": "finished", "node": name, "cycle": cycle, "seconds": seconds})
        return update

    return cast(Node, once)
