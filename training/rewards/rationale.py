"""A sampled answer taken apart: the rationale, and the final answers that it declares."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...answers import MARKER

_MARKER = re.compile(re.escape(MARKER), re.IGNORECASE)
_STEP_END = re.compile(r"(?<=[.;!?])\s+|\n+")
"""Where one step ends and the next begins: after a closing mark and a blank, or with the line."""


class Rationale(NamedTuple):
    """A text in parts."""

    steps: tuple[str, ...]
    """Sentences or lines before the last final answer, in order, none of them blank."""
    declared: int
    """How often `Answer:` stands in the text."""
    trailing: str
    """What follows the line of the last final answer."""


def take_apart(text: str) -> Rationale:
    """Take a text apart; it may be any.

    Without `Answer:` its last line counts as the final answer: a task may read answers of other forms.
    """
    marks = list(_MARKER.finditer(text))
    if not marks:
        body, _, _ = text.strip().rpartition("\n")
        return Rationale(split_steps(body), 0, "")
    _, _, trailing = text[marks[-1].end() :].lstrip().partition("\n")
    return Rationale(split_steps(text[: marks[-1].start()]), len(marks), trailing.strip())


def split_steps(text: str) -> tuple[str, ...]:
    """Return a text's sentences or lines, in order, none of them blank."""
    return tuple(step.strip() for step in _STEP_END.split(text) if any(map(str.isalnum, step)))
