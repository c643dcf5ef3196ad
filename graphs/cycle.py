"""The whole loop on one screen.

baseline -> examine -> diagnose -> plan -> teach -> purify -> [review] -> consolidate -> evaluate -> (examine | finish)
"""

from __future__ import annotations

from itertools import pairwise

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
from .teach import teach


def build_cycle() -> StateGraph[CycleState, RunContext, CycleState, CycleState]:
    """Wire the nodes; compile it with a checkpointer to make it resumable."""
    builder = StateGraph(CycleState, context_schema=RunContext)
    nodes = (baseline, examine, diagnose, plan, teach, purify, review, consolidate, evaluate, finish)
    for node in nodes:
        builder.add_node(node.__name__, node)
    line = [START, *(node.__name__ for node in nodes[:-1])]
    for before, after in pairwise(line):
        if before != "purify":
            builder.add_edge(before, after)
    builder.add_conditional_edges("purify", wants_review, ["review", "consolidate"])
    builder.add_conditional_edges("evaluate", route, ["examine", "finish"])
    builder.add_edge("finish", END)
    return builder


graph = build_cycle().compile(name="tutelage")
"""For LangGraph Studio (`langgraph.json`); a run compiles its own with its checkpointer."""
