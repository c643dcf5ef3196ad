"""Hints: what of a lesson's text a student that fails is shown, little by little."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..schema import Lesson
from .rewards.rationale import split_steps, take_apart

LEVELS = 2
"""First the beginning of the rationale, then the whole text."""
_BEFORE = "\n\nHint: "


def hints_of(lesson: Lesson, specials: Sequence[str]) -> tuple[str, ...]:
    """Return a lesson's hints, the smallest first, `LEVELS` at most.

    The first is the first half of the rationale's steps; it is left out where there is one step only. The last is all
    of the text.

    Args:
        lesson: Its text may hold anything.
        specials: The tokenizer's special tokens. In a prompt they would end the turn, so they are taken out.
    """
    text = without(lesson.text, specials).strip()
    if not text:
        return ()
    steps = take_apart(text).steps or split_steps(text)
    begun = " ".join(steps[: math.floor(len(steps) / 2)])
    return (begun, text) if begun else (text,)


def without(text: str, specials: Sequence[str]) -> str:
    """Return a text with a blank in place of each special token; what is left of two cannot make up a third."""
    for token in sorted(filter(None, specials), key=len, reverse=True):
        text = text.replace(token, " ")
    return text


def with_hint(messages: Sequence[dict[str, str]], hint: str) -> list[dict[str, str]]:
    """Return a prompt with a hint at the end of its last message."""
    *before, last = messages
    return [*before, {**last, "content": last["content"] + _BEFORE + hint}]
