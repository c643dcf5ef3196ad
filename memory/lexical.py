"""The lexical index: which errors share which terms, weighted by how rare a term is. Lives in memory only."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

COMMON = 50
"""A term that one row in so many has is kept as a column of flags: adding a column is faster than adding at rows."""
Scores = npt.NDArray[np.float32]


class LexicalIndex:
    """Rows of terms, numbered in the order in which they were added.

    A row's score for a query is the weight of the terms they share, divided by that of the terms that either has
    (weighted Jaccard), in [0, 1]; terms that no row has do not count. A term's weight is the idf of BM25,
    ln(1 + (N - n + 0.5) / (n + 0.5)) with n of N rows having it (Robertson and Zaragoza 2009, "The Probabilistic
    Relevance Framework", section 3, as Lucene keeps it positive).
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self._rows: dict[str, array[int]] = {}
        self._count = 0
        self._totals: Scores = np.zeros(0, np.float32)
        self._columns: dict[str, npt.NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows of distinct terms."""
        for terms in rows:
            for term in terms:
                self._rows.setdefault(term, array("i")).append(self._count)
            self._count += 1

    def scores(self, terms: Sequence[str]) -> Scores:
        """Return the score of every row, [rows]."""
        if len(self._totals) != self._count:
            self._weigh()
        total, shared = 0.0, np.zeros(self._count, np.float32)
        for term in terms:
            rows = self._rows.get(term)
            if rows is not None:
                total += self._weight(len(rows))
                self._add(shared, term, rows)
        union: Scores = np.maximum(total + self._totals - shared, 1e-9)
        return shared / union

    def _weigh(self) -> None:
        """Sum the weights of each row's terms."""
        self._totals, self._columns = np.zeros(self._count, np.float32), {}
        for term, rows in self._rows.items():
            self._add(self._totals, term, rows)

    def _add(self, sums: Scores, term: str, rows: array[int]) -> None:
        """Add a term's weight to its rows."""
        weight = np.float32(self._weight(len(rows)))
        at = np.frombuffer(rows, np.intc)
        if len(rows) * COMMON < self._count:
            sums[at] += weight
            return
        if term not in self._columns:
            self._columns[term] = np.zeros(self._count, bool)
            self._columns[term][at] = True
        sums += self._columns[term] * weight

    def _weight(self, n: int) -> float:
        return math.log(1 + (self._count - n + 0.5) / (n + 0.5))
