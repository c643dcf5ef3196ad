"""The lexical index: which errors share which terms, weighted by how rare a term is. Lives in memory only."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]


class LexicalIndex:
    """Rows of terms, numbered in the order in which they were added.

    A row's score for a query is the weight of the terms they share, divided by that of all terms of the query that
    any row has: in [0, 1]. A term's weight is the idf of BM25, ln(1 + (N - n + 0.5) / (n + 0.5)) with n of N rows
    having it (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", section 3, as Lucene keeps it
    positive). This is BM25 with k1 = 0: a term occurs or it does not, and long rows are not held against.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        self._rows: dict[str, array[int]] = {}
        self._count = 0

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
        total, scores = 0.0, np.zeros(self._count, np.float32)
        for term in terms:
            rows = self._rows.get(term)
            if rows is not None:
                weight = self._weight(len(rows))
                total += weight
                scores[np.frombuffer(rows, np.intc)] += weight
        return scores / np.float32(total) if total else scores

    def _weight(self, n: int) -> float:
        return math.log(1 + (self._count - n + 0.5) / (n + 0.5))
