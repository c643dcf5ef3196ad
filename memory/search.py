"""Hybrid search: the errors that are like a description, by their vectors and by the terms they share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .description import Description, describe_entry
from .index import ErrorIndex
from .journal import ALLOWED_SPLITS, ErrorEntry, ErrorJournal
from .lexical import LexicalIndex, Scores

DENSE = 0.5
"""Share of cosine similarity in an error's relevance; the rest is the lexical score. Agent KB (arXiv 2507.06229) has
0.5 too; on the development half of `bench/recall.py` no other share does better."""
MOST = 1024
"""Errors that Chroma is asked for, to be sifted; where so few are allowed that this might not do, it is asked among the
allowed ones alone, which is slower."""
FEW = 5000
"""Where more are allowed, it is not."""


@dataclass(frozen=True)
class Scope:
    """Which errors may be recalled."""

    task: str = ""
    """Of this task, or of a journal that names none; empty allows all."""
    students: frozenset[str] | None = None
    """Of these students; None allows all."""
    before_cycle: int | None = None

    def allows(self, entry: ErrorEntry) -> bool:
        """Whether an error may be recalled."""
        return (
            entry.split in ALLOWED_SPLITS
            and (not self.task or entry.task in ("", self.task))
            and (self.students is None or entry.student in self.students)
            and (self.before_cycle is None or entry.cycle < self.before_cycle)
        )


class Match(NamedTuple):
    """An error that was found, and how like it is."""

    entry: ErrorEntry
    relevance: float
    """`DENSE` times cosine similarity plus the rest times the lexical score, in [-1, 1]."""


class HybridSearch:
    """Both indexes over one journal, kept up to it.

    What only the terms have found gets the smallest similarity that the vectors have found: it is no nearer.
    """

    def __init__(self, journal: ErrorJournal, index: ErrorIndex, dense: float = DENSE) -> None:
        """Begin with nothing read; `sync` reads.

        Args:
            journal: The truth.
            index: The vectors.
            dense: Share of cosine similarity in the relevance: 1 is vectors alone, 0 terms alone.
        """
        self._journal = journal
        self._index = index
        self._dense = dense
        self._lexical = LexicalIndex()
        self._entries: list[ErrorEntry] = []
        self._rows: dict[str, int] = {}
        self._at_problem: dict[str, list[int]] = {}
        self._events = 0
        self._mask: tuple[Scope, npt.NDArray[np.bool_]] = Scope(), np.zeros(0, bool)

    def sync(self) -> None:
        """Bring both indexes up to the journal."""
        self._index.sync(self._journal.events, self._journal.errors)
        if self._events == len(self._journal.events):
            return
        if len(self._journal.events) - self._events != len(self._journal.errors) - len(self._entries):
            self._forget_all()  # something was evicted
        fresh = list(self._journal.errors.values())[len(self._entries) :]
        self._lexical.add(describe_entry(entry).terms for entry in fresh)
        for row, entry in enumerate(fresh, start=len(self._entries)):
            self._rows[entry.id] = row
            self._at_problem.setdefault(entry.problem_id, []).append(row)
        self._entries += fresh
        self._events = len(self._journal.events)

    def vector(self, sought: Description) -> list[float]:
        """Return the vector of what is sought."""
        return self._index.vector(sought.text)

    def near(
        self, sought: Description, vector: list[float], wanted: int, scope: Scope, but: Collection[str] = ()
    ) -> tuple[list[Match], bool]:
        """Return the errors most like what is sought, in no order, and whether there are no more.

        Args:
            sought: What to look for.
            vector: Its vector.
            wanted: Errors that each search should bring.
            scope: Which errors may be recalled.
            but: Problems whose errors may not.
        """
        allowed = self._allowed(scope)
        if but:
            allowed = allowed.copy()
            allowed[[row for problem in but for row in self._at_problem.get(problem, ())]] = False
        similarity = self._by_vector(vector, wanted, allowed)
        scores = self._lexical.scores(sought.terms)
        rows = {*similarity, *_top(np.where(allowed, scores, 0), wanted)}
        floor = min(similarity.values(), default=0.0)
        found = [self._match(row, similarity.get(row, floor), scores) for row in sorted(rows)]
        return found, wanted >= int(allowed.sum())

    def _match(self, row: int, similarity: float, scores: Scores) -> Match:
        relevance = self._dense * similarity + (1 - self._dense) * float(scores[row])
        return Match(self._entries[row], round(max(-1.0, min(1.0, relevance)), 6))

    def _by_vector(self, vector: list[float], wanted: int, allowed: npt.NDArray[np.bool_]) -> dict[int, float]:
        """Return the cosine similarity of the nearest allowed rows.

        Chroma's own filters take tens of milliseconds at 20,000 entries, so it is asked for as many more as are
        likely not allowed.
        """
        total = int(allowed.sum())
        ask = wanted * -(-len(self._entries) // max(1, total))
        found: dict[int, float] = {}
        while ask <= MOST:
            found = self._sifted(vector, ask, allowed)
            if len(found) >= wanted or ask >= len(self._entries):
                return found
            ask *= 4
        if total > FEW:
            return found or self._sifted(vector, ask, allowed)
        ids = [self._entries[row].id for row in np.flatnonzero(allowed)]
        return self._sifted(vector, wanted, allowed, ids)

    def _sifted(
        self, vector: list[float], ask: int, allowed: npt.NDArray[np.bool_], among: list[str] | None = None
    ) -> dict[int, float]:
        hits = self._index.nearest(vector, ask, self._journal.events, self._journal.errors, among)
        rows = ((self._rows[hit.id], hit.similarity) for hit in hits)
        return {row: similarity for row, similarity in rows if allowed[row]}

    def _allowed(self, scope: Scope) -> npt.NDArray[np.bool_]:
        """Return which rows a scope allows; kept, since all queries of a cycle have one scope."""
        known, mask = self._mask
        before = mask if known == scope else np.zeros(0, bool)
        fresh = self._entries[len(before) :]
        if fresh or known != scope:
            more = np.fromiter((scope.allows(entry) for entry in fresh), bool, len(fresh))
            self._mask = scope, np.concatenate([before, more])
        return self._mask[1]

    def _forget_all(self) -> None:
        self._lexical, self._entries, self._rows, self._at_problem = LexicalIndex(), [], {}, {}
        self._mask = Scope(), np.zeros(0, bool)


def _top(scores: Scores, limit: int) -> list[int]:
    """Return the rows of the highest scores above 0; of equal ones the newest."""
    least = np.partition(scores, -limit)[-limit] if len(scores) > limit else 0
    above = np.flatnonzero(scores > least)
    equal = np.flatnonzero(scores == least) if least > 0 else above[:0]
    return [int(row) for row in (*above, *equal[max(0, len(equal) + len(above) - limit) :])]
