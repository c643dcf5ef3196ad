"""Names that stay: the clusters of today are matched with the skills that earlier diagnoses found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...schema import Skill
from .clusters import Floats

ALIKE: Final = 0.5
"""A cluster and a skill that match no better than this are two."""
SAME_WORDS: Final = 0.8
"""As much is asked of the terms where a cluster and a skill have no problem in common to go by."""


class Cluster(NamedTuple):
    """Problems of one kind, not yet named."""

    problem_ids: tuple[str, ...]
    centre: Floats
    """[size]."""
    terms: tuple[str, ...]


def match(
    clusters: Sequence[Cluster],
    known: Sequence[Skill],
    vector_of: Mapping[str, Floats],
    embed: Callable[[Sequence[str]], Floats],
) -> dict[int, Skill]:
    """Return the known skill that each cluster goes on with; a cluster that is new is not in it.

    The best matching of all at once (the assignment problem; Kuhn 1955), by the geometric mean of two likenesses: of
    the problems that both sides know, how many they share (Jaccard), and the cosine of the centres. A skill without a
    problem that is still here is known by its terms alone.

    Args:
        clusters: What was found.
        known: Skills of earlier diagnoses, each once.
        vector_of: The vectors of the problems of all clusters, by the problems' ids.
        embed: Turns texts into vectors, [texts, size].
    """
    from scipy.optimize import linear_sum_assignment

    if not clusters or not known:
        return {}
    likeness = _likeness(clusters, known, vector_of, embed)
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    return {int(row): known[at] for row, at in zip(rows, columns, strict=True) if likeness[row, at] > ALIKE}


def _likeness(
    clusters: Sequence[Cluster],
    known: Sequence[Skill],
    vector_of: Mapping[str, Floats],
    embed: Callable[[Sequence[str]], Floats],
) -> Floats:
    """Return how much each cluster is like each skill, [clusters, skills], in [0, 1]."""
    here = {id_ for one in clusters for id_ in one.problem_ids}
    before = {id_ for skill in known for id_ in skill.problem_ids}
    likeness = np.zeros((len(clusters), len(known)))
    now = [set(one.problem_ids) & before for one in clusters]
    said = _cosines(embed, [one.terms for one in clusters], [skill.terms for skill in known])
    for column, skill in enumerate(known):
        then = set(skill.problem_ids) & here
        if not then:  # ALIKE at SAME_WORDS
            likeness[:, column] = np.maximum(0, said[:, column] - (SAME_WORDS - ALIKE))
            continue
        centre = np.mean([vector_of[id_] for id_ in sorted(then)], axis=0)
        for row, one in enumerate(clusters):
            shared = len(now[row] & then) / len(now[row] | then)
            likeness[row, column] = math.sqrt(shared * max(0.0, cosine(one.centre, centre)))
    return likeness


def _cosines(
    embed: Callable[[Sequence[str]], Floats], some: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> Floats:
    one, other = (embed([" ".join(terms) for terms in group]) for group in (some, others))
    cosines: Floats = one @ other.T
    return cosines


def cosine(one: Floats, other: Floats) -> float:
    """Return the cosine of two vectors; 0 where one of them is zero."""
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norm if norm else 0.0
