"""Kinds of wrong step that are no matter of skill, such as an answer that is never given."""

from __future__ import annotations

from typing import Final

from .schema import Attempt

PATTERNS: Final = {
    "format": ("giving a final answer", "end without one"),
    "truncated": ("ending in time", "are cut off at the length limit"),
    "repetition": ("not repeating itself", "say the same thing over and over"),
    "copied": ("copying the numbers", "use one that the question does not have"),
}
"""Kinds of wrong step that are no matter of skill: the weakness, named so that its pass rate reads as a skill's does,
and what such answers do."""


def error_kind(attempt: Attempt) -> str | None:
    """Return the kind of an attempt's first wrong step; an answer at the length limit without one is cut off."""
    kind = attempt.wrong_step.kind if attempt.wrong_step else None
    if attempt.finish_reason == "length" and kind in (None, "format"):
        return "truncated"
    return kind


def shows(attempt: Attempt, kind: str) -> bool:
    """Whether a failed attempt shows a pattern, also where a step before was the first to be wrong."""
    found = error_kind(attempt)
    return found == kind or (kind == "format" and attempt.answer is None and found != "truncated")
