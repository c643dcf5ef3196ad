"""Compare answers that are names: with a gold answer, and with what was said before.

What counts as said: the text after the last `Answer:`, else the first line, of which 24 words are read. Two answers
are compared without case, punctuation and articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ...answers import denies, extract_answer, negations, normalise

MAX_WORDS: Final = 24
"""Words of an answer without the marker that are read: a student that lists everything is not right."""

_APART = re.compile(r"[^\w]+")
_ARTICLES: Final = frozenset({"a", "an", "the"})
_SMALL: Final = """
and are as at be been by for from has he her his in is it its of on or she that there they this to was were which who
whose with
"""
_FUNCTION_WORDS: Final = _ARTICLES | frozenset(_SMALL.split())


class Said(NamedTuple):
    """What of a text counts as its answer."""

    text: str
    """As it stands."""
    words: tuple[str, ...]
    marked: bool
    """Whether it stood after `Answer:`."""


def said(text: str) -> Said | None:
    """Return what of a text counts as its answer; None if it has no word."""
    marked = extract_answer(text)
    if marked is not None:
        return Said(marked, words_of(marked), True)
    line = next((line for line in text.split("<|", 1)[0].splitlines() if line.strip()), "")
    begun = " ".join(line.split(maxsplit=MAX_WORDS)[:MAX_WORDS])
    return Said(begun, words_of(begun), False) if begun else None


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words without case, punctuation and articles; with articles if it has nothing else."""
    words = tuple(word for word in _APART.split(normalise(text)) if word)
    return tuple(word for word in words if word not in _ARTICLES) or words or (normalise(text),)


def stated(text: str, answers: Iterable[str], old: str | None = None) -> str | None:
    """Return which of several right answers a text gives; None if none.

    After `Answer:` stands the answer and nothing else. Without that marker the first line must have it as whole words,
    must not deny it, and must not have the old one too.

    Args:
        text: What a student said; anything.
        answers: Spellings of the right answer.
        old: The answer that must not stand beside it.
    """
    found = said(text)
    if found is None:
        return None
    for answer in answers:
        wanted = words_of(answer)
        if found.words == wanted:
            return answer
        beside = old is not None and _holds(found.words, words_of(old)) and not _holds(wanted, words_of(old))
        if not found.marked and not beside and _holds(found.words, wanted) and not denies(found.text, answer):
            return answer
    return None


def _holds(words: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1))


def same_text(one: str, other: str) -> bool:
    """Whether two texts give the same answer word for word."""
    first, second = said(one), said(other)
    return (first and first.words) == (second and second.words)


def same_answer(question: str, one: str, other: str) -> bool:
    """Whether two texts give the same answer to a question, said briefly or in a sentence.

    They do if they are the same word for word, or if what one says beyond the question stands in one piece in what the
    other says beyond it, function words apart, and neither adds a negation: `Paris` and `The capital of France is
    Paris.` EtCon's reward grades near matches in a like way, by the words alone (arXiv 2512.04753, released code).
    """
    if same_text(one, other):
        return True
    first, second = said(one), said(other)
    if first is None or second is None:
        return False
    asked = frozenset(words_of(question)) | _FUNCTION_WORDS
    told = (tuple(word for word in found.words if word not in asked) for found in (first, second))
    fewer, more = sorted(told, key=len)
    denied = {bool(negations(found.text) - negations(question)) for found in (first, second)}
    return bool(fewer) and _holds(more, fewer) and len(denied) == 1
