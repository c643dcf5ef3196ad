"""The whole loop on one screen.

baseline -> examine -> diagnose -> plan -> teach -> purify -> [review] -> consolidate -> evaluate -> (examine | finish)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from langgraph.graph import END, START, StateGraph

from .baseline import baseline
from .consolidate import consolidate
from .context import RunContext
from .diagnose import diagnose
from .evaluate import evaluate, route
from .examine import examine
from .finish import finish
from .plan import plan
from .purify import purify
from .review import review, wants_review
from .state import CycleState
from .step import Node
from .teach import teach


def nodes() -> tuple[Node, ...]:
    """Return the nodes in the order in which they come; a person's review only where there is to be one."""
    return (baseline, examine, diagnose, plan, teach, purify, review, consolidate, evaluate, finish)


def build_cycle() -> StateGraph[CycleState, RunContext, CycleState, CycleState]:
    """Wire the nodes; compile it with a checkpointer to make it resumable."""
    builder = StateGraph(CycleState, context_schema=RunContext)
    builder.add_edge(START, "baseline")
    connect(builder, nodes(), wants_review, route)
    return builder


def connect(builder: StateGraph[Any, Any, Any, Any], acts: Sequence[Any], wants: Any, goes_on: Any) -> None:
    """Add the nodes of the loop to a graph, and its edges; how the first is come to is the caller's.

    Args:
        builder: The graph.
        acts: The `nodes`, or what stands for each of them under its name.
        wants: Says after `purify` whether a person reviews the lessons.
        goes_on: Says after `evaluate` whether there is another cycle.
    """
    for node in acts:
        builder.add_node(node.__name__, node)
    for one, other in pairwise(node.__name__ for node in acts[:-1]):
        if one != "purify":
            builder.add_edge(one, other)
    builder.add_conditional_edges("purify", wants, ["review", "consolidate"])
    builder.add_conditional_edges("evaluate", goes_on, ["examine", "finish"])
    builder.add_edge("finish", END)
