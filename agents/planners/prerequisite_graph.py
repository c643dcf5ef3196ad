"""The prerequisite graph as planners walk it: an edge leads from a skill to one that builds on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx as nx

from ...errors import InputError


def prerequisite_graph(prerequisites: Mapping[str, Iterable[str]], skills: Iterable[str] = ()) -> nx.DiGraph:
    """Build the graph; the order in which skills are given does not matter.

    Args:
        prerequisites: What each skill builds on.
        skills: Skills that are in the graph even if nothing is said of them.

    Raises:
        InputError: If a skill builds on itself, however indirectly.
    """
    edges = sorted({(before, skill) for skill, some in prerequisites.items() for before in some})
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted({*skills, *prerequisites, *(before for before, _ in edges)}))
    graph.add_edges_from(edges)
    if not nx.is_directed_acyclic_graph(graph):
        circle = " -> ".join([edge[0] for edge in nx.find_cycle(graph)])
        raise InputError(f"diagnosis: prerequisites: {circle} -> ... is a cycle; take one of these edges out")
    return graph


def ancestor_shares(graph: nx.DiGraph) -> dict[str, float]:
    """Return for each skill the share of all skills that it builds on, directly or not, in [0, 1)."""
    bits = {skill: 1 << place for place, skill in enumerate(graph)}
    above: dict[str, int] = {}
    for skill in nx.topological_sort(graph):
        above[skill] = 0
        for before in graph.predecessors(skill):
            above[skill] |= above[before] | bits[before]
    return {skill: above[skill].bit_count() / len(bits) for skill in graph}


def teaching_order(graph: nx.DiGraph) -> dict[str, int]:
    """Return the place of each skill in an order in which prerequisites come first; ties by name."""
    return {skill: place for place, skill in enumerate(nx.lexicographical_topological_sort(graph))}


def stages(graph: nx.DiGraph) -> dict[str, int]:
    """Return the stage of each skill, from 1: one more than the latest stage of what it builds on."""
    return {skill: stage for stage, some in enumerate(nx.topological_generations(graph), start=1) for skill in some}
