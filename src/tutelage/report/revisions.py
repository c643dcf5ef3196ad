"""What a teacher changed when it wrote a rationale again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from ..schema import Rationale

_LONGEST = 4_000
"""Words of a text that is compared."""

Change = tuple[str, str, str]
"""`same`, `less`, `more` or `other`, with the words before and after."""


def changes(before: str, after: str) -> list[Change] | None:
    """Return the words that two texts share and those that they do not, in order; None if they are too long for it."""
    old, new = _words(before), _words(after)
    if len(old) > _LONGEST or len(new) > _LONGEST:
        return None
    names = {"equal": "same", "delete": "less", "insert": "more", "replace": "other"}
    # Words that are most of a long text are no anchors to difflib, or a text that repeats itself would take it minutes.
    blocks = SequenceMatcher(None, old, new).get_opcodes()
    return [(names[kind], "".join(old[a:b]), "".join(new[c:d])) for kind, a, b, c, d in blocks]


def _words(text: str) -> list[str]:
    """Cut a text into words and signs, each with the space after it; joined they are the text again."""
    return re.findall(r"\s+|(?:\w+|[^\w\s])\s*", text)


def revisions(rationales: Iterable[Rationale]) -> dict[str, list[Change] | None]:
    """Return by its id what each refinement changed in the rationale that it was made from."""
    by_id = {one.id: one for one in rationales}
    return {
        one.id: changes(by_id[one.parent_id].text, one.text)
        for one in by_id.values()
        if one.parent_id is not None and one.parent_id in by_id
    }
