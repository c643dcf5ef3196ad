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
_LONGEST_CYCLE: Final = 8
"""Sentences that are said in turn, at most."""
_WORD_REPEATS: Final = 12
_NUMBER_REPEATS: Final = 30
"""A row of ones may be what is asked for."""
_SENTENCE = re.compile(r"[^\n.]+(?:\.(?=[0-9])[^\n.]*)*")


def repetition(text: str) -> WrongStep | None:
    """Find what the text says over and over: a sentence, several in turn, or a word."""
    spans = [(m.start(), m.end()) for m in _SENTENCE.finditer(text) if any(c.isalnum() for c in m.group())]
    said = [" ".join(text[start:end].split()) for start, end in spans]
    found = [_cycle(text, spans, said, length) for length in range(1, _LONGEST_CYCLE + 1)]
    found += [_scattered(spans, said), _repeated_word(text)]
    return min((step for step in found if step is not None), key=lambda step: step.start, default=None)


def _cycle(text: str, spans: list[tuple[int, int]], said: list[str], length: int) -> WrongStep | None:
    """Find so many sentences that are said `REPEATS` times in a row."""
    streak = 0
    for at in range(length, len(said)):
        streak = streak + 1 if said[at] == said[at - length] else 0
        if streak >= (REPEATS - 1) * length:
            first = at - streak + 1
            return _repeated(text[spans[first][0] : spans[first + length - 1][1]], spans[first][0], spans[at][1])
    return None


def _scattered(spans: list[tuple[int, int]], said: list[str]) -> WrongStep | None:
    """Find a long sentence that comes back time and again; equations may, in a list of many."""
    places: dict[str, list[int]] = {}
    for at, sentence in enumerate(said):
        found = places.setdefault(sentence, [])
        found.append(at)
        if len(found) >= REPEATS and len(sentence) >= _LONG_SENTENCE and "=" not in sentence:
            return _repeated(sentence, spans[found[1]][0], spans[at][1])
    return None


def _repeated_word(text: str) -> WrongStep | None:
    previous, streak, start = "", 0, 0
    for match in re.finditer(r"\S+", text):
        streak = streak + 1 if match.group() == previous else 1
        start = match.start() if streak == 1 else start
        previous = match.group()
        most = _WORD_REPEATS if any(c.isalpha() for c in previous) else _NUMBER_REPEATS
        if streak >= most and any(c.isalnum() for c in previous):
            return _repeated(previous, start, match.end())
    return None


def _repeated(said: str, start: int, end: int) -> WrongStep:
    return WrongStep(kind="repetition", start=start, end=end, expected="said once", found=said[:SHOWN])
