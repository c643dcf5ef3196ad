"""Texts that say the same over and over."""

from __future__ import annotations

import re
from typing import Final

from ...schema import WrongStep
from .tokens import SHOWN

REPEATS: Final = 4
"""A sentence said this often is a repetition."""

_LONG_SENTENCE: Final = 20
"""Shorter sentences (`Carry the 1.`) count as repeated only if they follow one another."""
_WORD_REPEATS: Final = 12
_SENTENCE = re.compile(r"[^\n.]+(?:\.(?=[0-9])[^\n.]*)*")


def repetition(text: str) -> WrongStep | None:
    """Find a sentence or word that the text says over and over."""
    seen: dict[str, list[int]] = {}
    previous, streak = "", 0
    for match in _SENTENCE.finditer(text):
        said = " ".join(match.group().split())
        if not any(c.isalnum() for c in said):
            continue
        streak = streak + 1 if said == previous else 1
        previous = said
        starts = seen.setdefault(said, [])
        starts.append(match.start())
        if streak >= REPEATS or (len(starts) >= REPEATS and len(said) >= _LONG_SENTENCE):
            return _repeated(said, starts[1], match.end())
    return _repeated_word(text)


def _repeated_word(text: str) -> WrongStep | None:
    previous, streak, start = "", 0, 0
    for match in re.finditer(r"\S+", text):
        streak = streak + 1 if match.group() == previous else 1
        start = match.start() if streak == 1 else start
        previous = match.group()
        if streak >= _WORD_REPEATS and any(c.isalnum() for c in previous):
            return _repeated(previous, start, match.end())
    return None


def _repeated(said: str, start: int, end: int) -> WrongStep:
    return WrongStep(kind="repetition", start=start, end=end, expected="said once", found=said[:SHOWN])
