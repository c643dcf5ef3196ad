"""Greedy set cover of weak skills by cheapest paths that begin at what is mastered (GraphMASAL, arXiv 2511.11035)."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import dijkstra


class Path(NamedTuple):
    """A way to a weak skill."""

    skills: tuple[str, ...]
    """From the source to the sink, both included."""
    cost: float
    """Sum of the costs of its skills; a mastered source costs nothing."""
    covers: int
    """Sinks on it that no path chosen before has."""


class _Candidate(NamedTuple):
    """A path as the search compares it; the sinks on it are the bits of `mask`."""

    cost: float
    source: int
    sink: int
    mask: int


class PathCover:
    """The cheapest path from every source to every sink, and which of them cover all sinks.

    A source is a mastered skill, or one that builds on nothing, so every sink can be reached. In each step the path
    with the most sinks not covered yet is chosen, of equals the cheapest: at most 1 + ln n times as many paths as
    are needed, n being the sinks of the longest (Chvátal 1979). `evaluations` counts how often a path was looked at.
    """

    def __init__(
        self, graph: nx.DiGraph, costs: Mapping[str, float], mastered: Collection[str], sinks: Collection[str]
    ) -> None:
        """Search.

        Args:
            graph: Acyclic, an edge from a skill to one that builds on it.
            costs: Of each skill, positive.
            mastered: Skills that may begin a path for nothing; sinks are left out.
            sinks: Skills to cover.
        """
        self.names = sorted(graph)
        self.evaluations = 0
        self._graph, self._costs, self._sinks = graph, costs, set(sinks)
        self._place = {name: place for place, name in enumerate(self.names)}
        known = set(mastered) - self._sinks
        frontier = {name for name in known if any(after not in known for after in graph.successors(name))}
        roots = {name for name in self.names if name not in known and not graph.in_degree(name)}
        self._sources = sorted(frontier | roots)
        self._free = frontier

    def paths(self) -> Iterator[Path]:
        """Yield the chosen paths, the most covering first, until every sink is covered."""
        if not self._sinks:
            return
        predecessors, candidates = self._search()
        # Lazily: what a path covers only shrinks, so one that is still ahead after another look is the best.
        heap = [(-one.mask.bit_count(), one) for one in candidates]
        heapq.heapify(heap)
        uncovered = (1 << len(self._sinks)) - 1
        while uncovered:
            promised, best = heapq.heappop(heap)
            covers = (best.mask & uncovered).bit_count()
            self.evaluations += 1
            if covers == -promised:
                uncovered &= ~best.mask
                yield Path(self._walk(predecessors[best.source], best.sink), best.cost, covers)
            elif covers:
                heapq.heappush(heap, (-covers, best))

    def _search(self) -> tuple[npt.NDArray[np.int32], list[_Candidate]]:
        """Return each source's tree of cheapest paths, and of the paths that cover the same sinks the cheapest."""
        distances, predecessors = self._trees()
        starts = [0.0 if name in self._free else self._costs[name] for name in self._sources]
        bits = {self._place[name]: 1 << bit for bit, name in enumerate(sorted(self._sinks))}
        order = [self._place[name] for name in nx.topological_sort(self._graph)]
        cheapest: dict[int, _Candidate] = {}
        for source, start in enumerate(starts):
            reached, before = distances[source].tolist(), predecessors[source].tolist()
            masks = [0] * len(order)
            for node in order:
                if reached[node] == np.inf:
                    continue
                masks[node] = bits.get(node, 0) | (masks[before[node]] if before[node] >= 0 else 0)
                if node in bits:
                    found = _Candidate(start + reached[node], source, node, masks[node])
                    cheapest[found.mask] = min(found, cheapest.get(found.mask, found))
        return predecessors, sorted(cheapest.values())

    def _trees(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
        """Run Dijkstra from every source; entering a skill costs what it costs."""
        entering = nx.DiGraph()
        entering.add_nodes_from(self.names)
        entering.add_weighted_edges_from((a, b, self._costs[b]) for a, b in sorted(self._graph.edges))
        matrix = nx.to_scipy_sparse_array(entering, nodelist=self.names, format="csr", dtype=float)
        sources = [self._place[name] for name in self._sources]
        distances, predecessors = dijkstra(matrix, indices=sources, return_predecessors=True)
        return distances, predecessors

    def _walk(self, predecessors: npt.NDArray[np.int32], sink: int) -> tuple[str, ...]:
        path = [sink]
        while predecessors[path[-1]] >= 0:
            path.append(int(predecessors[path[-1]]))
        return tuple(self.names[node] for node in reversed(path))
