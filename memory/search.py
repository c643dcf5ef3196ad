"""Hybrid search: the errors that are like a description, by their vectors and by the terms they share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .description import Description, describe_entry
from .index import ErrorIndex, Vectors
from .journal import ALLOWED_SPLITS, ErrorEntry, ErrorJournal
from .lexical import LexicalIndex, Scores

Mask = npt.NDArray[np.bool_]
DENSE = 0.5
"""Share of cosine similarity in an error's relevance; the rest is the lexical score. Agent KB (arXiv 2507.06229) has
0.5 too; on the development half of `bench/recall.py` shares from 0.1 to 0.6 find one of its kind
as often, within two of 648 queries; the one error that is left (strict) is found a little oftener at 0.2."""
EXACT = 20_000
"""Up to so many errors the vectors are held in memory too and compared one by one. Chroma's graph is
drawn at random, and where many errors are nearly the same it may miss the nearest: runs would recall differently."""
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

    Up to `EXACT` errors both scores are exact. Beyond, the nearest come from Chroma's graph, and what only the terms
    have found gets the smallest similarity among them: it is no nearer.
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
        self._vectors: Vectors | None = None
        self._events = 0
        self._mask: tuple[Scope, Mask] = Scope(), np.zeros(0, bool)

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
        self._vectors = self._with_vectors_of(fresh)
        self._events = len(self._journal.events)

    def _with_vectors_of(self, fresh: list[ErrorEntry]) -> Vectors | None:
        """Return the vectors of all rows, [rows, size], the fresh ones being the last; None if those are too many."""
        if not fresh or len(self._entries) > EXACT:
            return self._vectors if not fresh else None
        ids = [entry.id for entry in fresh]
        more = self._index.vectors_of(ids, self._journal.events, self._journal.errors)
        return more if self._vectors is None else np.concatenate([self._vectors, more])

    def vector(self, sought: Description) -> list[float]:
        """Return the vector of what is sought."""
        vector = self._index.vector(sought.text)
        if self._vectors is not None and len(vector) != self._vectors.shape[1]:
            self._index.reset()  # another embedder of the same name has made it
            self._forget_all()
            self.sync()
        return vector

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
        scores = self._lexical.scores(sought.terms)
        near, similarity = self._by_vector(vector, wanted, allowed)
        rows = {*_top(np.where(allowed, scores, 0), wanted), *near}
        found = [self._match(row, float(similarity[row]), scores) for row in sorted(rows)]
        return found, wanted >= int(allowed.sum())

    def _match(self, row: int, similarity: float, scores: Scores) -> Match:
        relevance = self._dense * similarity + (1 - self._dense) * float(scores[row])
        return Match(self._entries[row], round(max(-1.0, min(1.0, relevance)), 6))

    def _by_vector(self, vector: list[float], wanted: int, allowed: Mask) -> tuple[Collection[int], Scores]:
        """Return the nearest allowed rows, and the cosine similarity of every row, [rows]; of far ones a bound."""
        if self._vectors is not None:
            sought = np.array(vector, np.float32)
            similarity: Scores = self._vectors @ (sought / max(float(np.linalg.norm(sought)), 1e-9))
            return _top(np.where(allowed, similarity, -2), wanted, -2), similarity
        found = self._nearest(vector, wanted, allowed)
        similarity = np.full(len(self._entries), min(found.values(), default=0.0), np.float32)
        similarity[list(found)] = list(found.values())
        return found.keys(), similarity

    def _nearest(self, vector: list[float], wanted: int, allowed: Mask) -> dict[int, float]:
        """Ask Chroma.

        Its own filters are slow where there are many entries, so it is asked for as many more as are likely not
        allowed.
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

    def _sifted(self, vector: list[float], ask: int, allowed: Mask, among: list[str] | None = None) -> dict[int, float]:
        hits = self._index.nearest(vector, ask, self._journal.events, self._journal.errors, among)
        rows = ((self._rows[hit.id], hit.similarity) for hit in hits)
        return {row: similarity for row, similarity in rows if allowed[row]}

    def _allowed(self, scope: Scope) -> Mask:
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
        self._vectors, self._events = None, 0
        self._mask = Scope(), np.zeros(0, bool)


def _top(scores: Scores, limit: int, least: float = 0.0) -> list[int]:
    """Return the rows of the highest scores above `least`; of equal ones the newest."""
    rows = np.flatnonzero(scores > max(least, float(scores.max(initial=least)) / 2))  # seldom fewer than wanted
    if len(rows) < limit:
        rows = np.flatnonzero(scores > least)
    if len(rows) > limit:
        some = scores[rows]
        bar = np.partition(some, -limit)[-limit]
        above, equal = rows[some > bar], rows[some == bar]
        rows = np.concatenate([above, equal[len(equal) + len(above) - limit :]])
    return [int(row) for row in rows]
