"""Last words: the last revision of each teacher's drafts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..schema import Rationale


def last_words(rationales: Iterable[Rationale]) -> dict[str, list[Rationale]]:
    """Return the last revision of each teacher and draft, by problem."""
    last = {(r.problem_id, r.teacher, r.draft): r for r in sorted(rationales, key=lambda r: r.revision)}
    found: defaultdict[str, list[Rationale]] = defaultdict(list)
    for rationale in last.values():
        found[rationale.problem_id].append(rationale)
    return found
