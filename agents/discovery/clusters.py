"""Clusters of texts: how many there are is told from a sample, and every text goes to the nearest."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

SAMPLE: Final = 2000
"""Texts that the number of clusters is told from: the distances of all pairs are looked at."""
SMALLEST: Final = 0.01
"""Share of the sample below which a cluster is noise; its texts go to the nearest of the others."""
ONE_KIND: Final = 0.2
"""Silhouette up to which a division says nothing: all texts are then one cluster."""
SIMPLER: Final = 0.02
"""Fewer clusters are taken if their silhouette is less than this below the best."""


def cluster(vectors: Floats, most: int) -> list[list[int]]:
    """Divide texts by their vectors.

    Ward's tree (Ward 1963, "Hierarchical grouping to optimize an objective function") over the first `SAMPLE` vectors
    is cut where the mean silhouette by cosine distance is best (Rousseeuw 1987, "Silhouettes"); all texts then go to
    the nearest centre.

    Args:
        vectors: Unit-length, [texts, size]; those to be told from first, in an order that does not depend on chance.
        most: Clusters at most.

    Returns:
        The places of each cluster's texts in order; the largest cluster first, of equals that which begins first.
    """
    sample = vectors[:SAMPLE]
    labels = _divided(sample, most)
    sizes = np.bincount(labels)
    kept = np.flatnonzero(sizes >= max(2, SMALLEST * len(sample)))
    if not len(kept):
        kept = np.array([int(sizes.argmax())])
    centres = np.stack([sample[labels == one].mean(0) for one in kept])
    nearest = ((centres**2).sum(1) - 2 * vectors @ centres.T).round(6).argmin(1)
    found = [np.flatnonzero(nearest == one).tolist() for one in range(len(centres))]
    return sorted((some for some in found if some), key=lambda some: (-len(some), some[0]))


def _divided(sample: Floats, most: int) -> Labels:
    """Cut Ward's tree at the number of clusters with the best silhouette, or the least that comes near it."""
    from scipy.cluster.hierarchy import fcluster, ward
    from sklearn.metrics import silhouette_score

    if len(sample) < 3:
        return np.zeros(len(sample), int)
    distances = np.clip(1 - sample @ sample.T, 0, 2).round(6)
    np.fill_diagonal(distances, 0)
    tree = ward(sample)
    cuts = {}
    for number in range(2, min(most, len(sample) - 1) + 1):
        labels = fcluster(tree, number, "maxclust") - 1
        if (found := labels.max() + 1) > 1 and found not in cuts:
            cuts[found] = (silhouette_score(distances, labels, metric="precomputed"), labels)
    best = max((score for score, _ in cuts.values()), default=0.0)
    if best <= ONE_KIND:
        return np.zeros(len(sample), int)
    chosen: Labels = next(labels for score, labels in cuts.values() if score >= best - SIMPLER)
    return chosen
