"""Estimate which skills a skill builds on, from how often it is right where another is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..prerequisites import as_mapping

if TYPE_CHECKING:
    from networkx import DiGraph

MIN_SUPPORT: Final = 5.0
"""Students or checkpoints at which the one is wrong, and at which the other is right, that an edge must rest on."""
NECESSARY: Final = 0.8
"""P(prerequisite right | skill right) that an edge needs at least."""
WITHOUT: Final = 0.35
"""P(skill right | prerequisite wrong) that an edge needs at most: slips and guesses leave something."""
LEAD: Final = 0.1
"""By how much P(prerequisite right | skill right) must exceed P(skill right | prerequisite right): two skills that come
and go together build on nothing of one another."""
CERTAINTY: Final = 3.0
"""Standard errors by which P(b right | a right) must exceed P(b right | a wrong)."""

FEWEST: Final = 13
"""Rows below which no edge meets all of this, where each shows either skill as clearly right or wrong: 5 with neither,
1 with the prerequisite alone and 7 with both are the fewest that do."""

_FAINT: Final = 0.1
"""Pseudo-counts of either kind: so few that a single answer decides."""

Outcomes = Mapping[str, tuple[float, float]]
"""By skill, how often it was right and wrong: of one student at one checkpoint."""


class Rates(NamedTuple):
    """How two skills are right and wrong together; arrays of shape (skills, skills), [a, b] for a before b."""

    necessary: np.ndarray
    """P(a right | b right)."""
    sufficient: np.ndarray
    """P(b right | a right)."""
    without: np.ndarray
    """P(b right | a wrong)."""
    support: np.ndarray
    """Rows with a wrong, or with b right, whichever are fewer."""
    certainty: np.ndarray
    """Standard errors by which P(b right | a right) exceeds P(b right | a wrong), if they are one (a z test)."""


def estimate_prerequisites(
    outcomes: Sequence[Outcomes], min_support: float = MIN_SUPPORT
) -> dict[str, tuple[str, ...]]:
    """Estimate prerequisites from the outcomes of several students, or of one at several checkpoints.

    a is taken for a prerequisite of b where b is rarely right without a, P(b right | a wrong) <= `WITHOUT`, where a is
    mostly right with b, P(a right | b right) >= `NECESSARY`, where the dependence is asymmetric, P(a right | b right) -
    P(b right | a right) >= `LEAD`, and where it is no accident (`CERTAINTY`). One student at one checkpoint shows
    nothing of this: it takes some twenty rows or more. Of a cycle the weakest edge, by P(b right | a right) - P(b right
    | a wrong), is dropped; what follows from other edges is left out.

    Args:
        outcomes: One mapping a student or checkpoint.
        min_support: Of these, how many an edge must rest on.

    Returns:
        By skill, what it builds on; without a cycle.
    """
    skills = sorted({skill for row in outcomes for skill in row})
    if len(skills) < 2:
        return {}
    rates = conditional_rates(outcomes, skills)
    gain = rates.sufficient - rates.without
    edges = (
        (rates.support >= min_support)
        & (rates.necessary >= NECESSARY)
        & (rates.without <= WITHOUT)
        & (rates.necessary - rates.sufficient >= LEAD)
        & (rates.certainty >= CERTAINTY)
    )
    return as_mapping(_without_cycles(skills, edges, gain))


def conditional_rates(outcomes: Sequence[Outcomes], skills: Sequence[str]) -> Rates:
    """Return the conditional success rates of each pair of skills.

    A skill counts as right at a checkpoint with the probability that its pass rate there exceeds one half, given a
    Beta posterior: slips and guesses among several answers do not blur it.
    """
    from scipy.special import betainc  # a command that estimates nothing should not wait for it

    counts = np.array([[row.get(skill, (0.0, 0.0)) for skill in skills] for row in outcomes], dtype=float)
    total = counts.sum(axis=2)
    right = betainc(_FAINT + counts[:, :, 1], _FAINT + counts[:, :, 0], 0.5)
    tried = np.minimum(total, 1.0)  # many answers make a row no more than one
    known = tried * right
    weight, both, first = tried.T @ tried, known.T @ known, known.T @ tried
    second, wrong = first.T, weight - first
    sufficient, without, usual = _share(both, first), _share(second - both, wrong), _share(second, weight)
    error = np.sqrt(usual * (1 - usual) * (_share(np.ones_like(first), first) + _share(np.ones_like(first), wrong)))
    return Rates(
        necessary=_share(both, second),
        sufficient=sufficient,
        without=without,
        support=np.minimum(wrong, second),
        certainty=_share(sufficient - without, error),
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found


def _without_cycles(skills: Sequence[str], edges: np.ndarray, strength: np.ndarray) -> DiGraph[str]:
    """Return the graph of the edges, less the weakest of each cycle."""
    import networkx

    graph: DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(skills)
    for a, b in zip(*np.nonzero(edges), strict=True):
        graph.add_edge(skills[a], skills[b], strength=float(strength[a, b]))
    while True:
        try:
            cycle = networkx.find_cycle(graph)
        except networkx.NetworkXNoCycle:
            return graph
        graph.remove_edge(*min(cycle, key=lambda edge: (graph.edges[edge]["strength"], edge)))
