"""Which explanations have helped: the record of each among similar errors, and what may be shown of it.

The record of an explanation is that of all explanations like it that were taught for the errors found near by, as far
as those are of what is taught now. With
`helped` of `tried` of them followed by a right answer, its chance is the mean of a Beta posterior,

    chance = (helped + PRIOR * base) / (tried + PRIOR),

shrunk towards `base`, the chance of any explanation found near by: (all helped + 1) / (all tried + 2), Laplace's rule
of succession. Its merit is chance - base; an error that nothing was taught for has merit 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ..schema import RecalledError
from .journal import ErrorEntry, OutcomeEntry
from .search import Match

PRIOR = 2.0
"""Outcomes that the base chance counts for."""
WEIGHT = 0.3
"""What merit counts for against relevance."""
LIKE = 0.6
"""Share of word pairs (Jaccard) from which on two explanations count as one."""
ENOUGH = 3
"""Outcomes from which on a record worse than the base chance speaks against an explanation."""
_TEXT_CAP = 4000


class Found(NamedTuple):
    """An error that was found, what was taught for it, and the record of that."""

    match: Match
    outcome: OutcomeEntry | None
    helped: int
    tried: int
    base: float

    @property
    def merit(self) -> float:
        """How much better than any the explanation does, in (-1, 1)."""
        return (self.helped + PRIOR * self.base) / (self.tried + PRIOR) - self.base if self.tried else 0.0

    @property
    def usefulness(self) -> float:
        """What errors are ranked by."""
        return round(self.match.relevance + WEIGHT * self.merit, 6)

    @property
    def fixed(self) -> bool | None:
        """What is said of the explanation: its own outcome, unless there is evidence enough that it does not help."""
        if self.outcome is None:
            return None
        return self.outcome.fixed and not (self.tried >= ENOUGH and self.merit < 0)


@lru_cache(maxsize=4096)
def method_of(text: str) -> frozenset[str]:
    """Return an explanation's pairs of neighbouring words, numbers being all alike: how it goes about it."""
    words = re.findall(r"#|[^\W\d_]+|[^\w\s]", re.sub(r"\d+(?:[.,]\d+)*", "#", text[:_TEXT_CAP].lower()))
    return frozenset(map(" ".join, pairwise(words))) or frozenset({text[:_TEXT_CAP]})


def alike(one: str, other: str) -> bool:
    """Whether two explanations go about it in the same way."""
    a, b = method_of(one), method_of(other)
    if min(len(a), len(b)) < LIKE * max(len(a), len(b)):
        return False
    shared = len(a & b)
    return shared >= LIKE * (len(a) + len(b) - shared)


def weigh(
    found: Iterable[tuple[Match, Sequence[OutcomeEntry]]], weakness: str | None, skills: Sequence[str]
) -> list[Found]:
    """Give each error that was found its explanation's record among all that were taught for all of them.

    What was taught for another weakness and other skills than are taught now (see `rank`) is left aside. A lesson
    counts once, however many errors at its problem it was to mend; so does one that failed before another helped.

    Args:
        found: Errors, each with what became of it, the oldest outcome first.
        weakness: What is taught now.
        skills: Those of the problem that is taught now.
    """
    known = [(match, some if _coherent(match.entry, weakness, skills) else ()) for match, some in found]
    lessons = {(match.entry.problem_id, o.rationale_id, o.cycle): o for match, some in known for o in some}
    base = (sum(outcome.fixed for outcome in lessons.values()) + 1) / (len(lessons) + 2)
    fates = [(match, _fate(some)) for match, some in known]
    records: dict[str, tuple[int, int]] = {}
    for text in {outcome.taught for _, outcome in fates if outcome}:
        like = [other.fixed for other in lessons.values() if alike(text, other.taught)]
        records[text] = sum(like), len(like)
    return [Found(match, o, *(records[o.taught] if o else (0, 0)), base) for match, o in fates]


def _fate(outcomes: Sequence[OutcomeEntry]) -> OutcomeEntry | None:
    """Return the last outcome that says an error was fixed, or else the last one."""
    fixed = [outcome for outcome in outcomes if outcome.fixed]
    return (fixed or outcomes or (None,))[-1]


def rank(found: Iterable[Found], limit: int) -> list[RecalledError]:
    """Return what is shown, the most useful first: one error a problem, and no two that contradict each other.

    Agent KB's disagreement gate (arXiv 2507.06229), as three rules:

    1. What was taught for another weakness and other skills than are taught now is no fix: the error is shown without
       it (`weigh`).
    2. What has not helped with similar errors, by a record of `ENOUGH` outcomes, is not shown as a fix even where it
       was followed by a right answer (`Found.fixed`).
    3. Of two errors whose explanations are alike and which disagree on whether that helped, the less useful is left
       out.
    """
    shown: list[Found] = []
    problems: set[str] = set()
    for one in sorted(found, key=lambda one: (-one.usefulness, one.match.entry.id)):
        if len(shown) == limit:
            break
        problem = one.match.entry.problem_id
        if problem not in problems and not any(_contradict(one, other) for other in shown):
            problems.add(problem)
            shown.append(one)
    return [_recalled(one) for one in shown]


def _contradict(one: Found, other: Found) -> bool:
    if one.outcome is None or other.outcome is None or one.fixed == other.fixed:
        return False
    return alike(one.outcome.taught, other.outcome.taught)


def _coherent(entry: ErrorEntry, weakness: str | None, skills: Sequence[str]) -> bool:
    """Whether an error is of what is taught now; where nothing is known of that, it is."""
    step = entry.wrong_step.skill if entry.wrong_step else None
    theirs = {*entry.skills, entry.weakness, step} - {None}
    ours = {*skills, weakness} - {None}
    return not theirs or not ours or bool(theirs & ours)


def _recalled(one: Found) -> RecalledError:
    entry = one.match.entry
    return RecalledError(
        id=entry.id,
        problem_id=entry.problem_id,
        question=entry.question,
        attempt=entry.attempt,
        wrong_step=entry.wrong_step,
        taught=one.outcome.taught if one.outcome else None,
        fixed=one.fixed,
        helped=one.helped,
        tried=one.tried,
        similarity=one.match.relevance,
    )
