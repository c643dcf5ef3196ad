"""Names for clusters of texts: the terms that tell one from the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from .wording import words

TERMS: Final = 6
"""Terms that are kept of a cluster."""
IN_NAME: Final = 2
_SHARE: Final = 0.2
"""A term that fewer texts of a cluster have does not stand for it, if there is another."""
NAMELESS: Final = "problems"
"""Names a cluster whose texts have no words."""


def telling_terms(texts: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the most telling terms of each cluster, the best first.

    Class-based TF-IDF: a term's share of the cluster's terms, times log(1 + A/f) with A the mean number of terms in a
    cluster and f how often the term occurs in all (Grootendorst 2022, "BERTopic", arXiv 2203.05794, section 3.3). A
    term counts once a text. English function words are left out where a cluster has any other term.

    Args:
        texts: The masked texts of each cluster.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    counter = CountVectorizer(analyzer=words, binary=True)
    try:
        counts = counter.fit_transform([text for some in texts for text in some])
    except ValueError:  # not one word in all of them
        return [() for _ in texts]
    terms = counter.get_feature_names_out()
    common = np.array([term in ENGLISH_STOP_WORDS for term in terms])
    ends = np.cumsum([0, *map(len, texts)])
    by_cluster = np.stack([np.asarray(counts[a:b].sum(0)).ravel() for a, b in pairwise(ends)]).astype(float)
    shares = by_cluster / np.maximum(by_cluster.sum(1, keepdims=True), 1)
    weights = shares * np.log1p(by_cluster.sum() / len(texts) / by_cluster.sum(0))
    sizes = np.array([max(1, len(some)) for some in texts])[:, None]
    rare = by_cluster / sizes < _SHARE
    ranked = [np.lexsort((terms, -w, r, common)) for w, r in zip(weights.round(9), rare, strict=True)]
    return [_best(terms, order, row, common) for order, row in zip(ranked, by_cluster, strict=True)]


def named(terms: Sequence[str], taken: Collection[str]) -> str:
    """Return a name of two terms that nothing else has; of more, or with a number, where those are taken."""
    for length in range(min(IN_NAME, len(terms)), len(terms) + 1):
        name = " ".join(terms[:length]) or NAMELESS
        if name not in taken:
            return name
    base, number = " ".join(terms[:IN_NAME]) or NAMELESS, 2
    while f"{base} ({number})" in taken:
        number += 1
    return f"{base} ({number})"


def _best(terms: Any, order: Any, counts: Any, common: Any) -> tuple[str, ...]:
    """Return the first terms that a cluster has; function words only if it has nothing else."""
    has = [at for at in order if counts[at] > 0]
    return tuple(str(terms[at]) for at in ([at for at in has if not common[at]] or has)[:TERMS])
