"""Which skills a skill builds on: read from a mapping or a file, and put in order."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from networkx import DiGraph

from .errors import InputError, one_line


def read_mapping(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    """Check a mapping of skills to what they build on.

    Args:
        value: Anything; a mapping from a skill to a skill or a list of skills is right.
        where: Named in a refusal: a file, or who gave it.

    Returns:
        By skill, its prerequisites, each once and sorted; skills without are left out.

    Raises:
        InputError: If it has another form, or a cycle, which is named.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: prerequisites are a mapping of a skill to a list of skills")
    found: dict[str, tuple[str, ...]] = {}
    for skill, needed in value.items():
        names = [needed] if isinstance(needed, str) else needed
        if not isinstance(skill, str) or not isinstance(names, list | tuple | set | frozenset):
            raise InputError(f"{where}: {skill!s:.60}: must be a skill with a list of skills")
        if not all(isinstance(name, str) and name for name in names):
            raise InputError(f"{where}: {skill:.60}: its prerequisites must be names of skills")
        if names:
            found[skill] = tuple(sorted(set(names)))
    _refuse_cycle(found, where)
    return dict(sorted(found.items()))


def read_file(path: Path) -> dict[str, tuple[str, ...]]:
    """Read prerequisites from a YAML or JSON file.

    Raises:
        InputError: If it cannot be read, is no such mapping, or has a cycle.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); give a YAML or JSON file") from error
    return read_mapping(value, str(path))


def read_prerequisites(value: str | Mapping[str, Any] | None, where: str) -> dict[str, tuple[str, ...]]:
    """Read what an option gives: the path of a file, a mapping, or nothing.

    Raises:
        InputError: As `read_file` and `read_mapping` do.
    """
    if value is None:
        return {}
    return read_file(Path(value)) if isinstance(value, str) else read_mapping(value, where)


def _refuse_cycle(prerequisites: Mapping[str, Sequence[str]], where: str) -> None:
    import networkx

    graph = as_graph(prerequisites)
    try:
        edges = networkx.find_cycle(graph)
    except networkx.NetworkXNoCycle:
        return
    names = " -> ".join(dict.fromkeys(name for edge in edges for name in edge))
    raise InputError(f"{where}: prerequisites form a cycle: {names} -> {edges[0][0]}; take one of these out")


def as_graph(prerequisites: Mapping[str, Sequence[str]]) -> DiGraph[str]:
    """Return the graph with an edge from each prerequisite to the skill that builds on it."""
    import networkx

    graph: DiGraph[str] = networkx.DiGraph()
    for skill in sorted(prerequisites):
        graph.add_edges_from((needed, skill) for needed in sorted(prerequisites[skill]))
    return graph


def as_mapping(graph: DiGraph[str]) -> dict[str, tuple[str, ...]]:
    """Return, by skill, what it builds on, without what follows from the rest (the transitive reduction).

    Args:
        graph: Edges from each prerequisite to the skill that builds on it; without a cycle.
    """
    import networkx

    reduced = networkx.transitive_reduction(graph)
    found = {skill: tuple(sorted(reduced.predecessors(skill))) for skill in sorted(reduced)}
    return {skill: needed for skill, needed in found.items() if needed}


def restricted(prerequisites: Mapping[str, Sequence[str]], skills: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the prerequisites among some skills; one that is not among them is bridged by its own."""
    if not prerequisites:
        return {}
    import networkx

    closed = networkx.transitive_closure_dag(as_graph(prerequisites))
    return as_mapping(closed.subgraph([skill for skill in sorted(closed) if skill in skills]))


def in_order(skills: Collection[str], prerequisites: Mapping[str, Sequence[str]]) -> list[str]:
    """Return skills, prerequisites first; by name where the order is free."""
    if not prerequisites:
        return sorted(skills)
    import networkx

    graph = as_graph(prerequisites)
    graph.add_nodes_from(skills)
    return [skill for skill in networkx.lexicographical_topological_sort(graph) if skill in skills]
