"""Find the final answer in a text and compare it with the gold one; no text makes these functions raise."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from typing import Final

MARKER: Final = "Answer:"
"""What stands before the final answer."""
MAX_NUMBER: Final = 200
"""Longer texts are not read as numbers."""

_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)")
_FRACTION = re.compile(r"[+-]?[0-9]+\s?/\s?[0-9]+")
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_WORD = re.compile(r"\w+(?:'\w+)?")
_NEGATIONS: Final = frozenset({"no", "not", "never", "neither", "nor", "cannot", "without"})
_CLAUSE_END = re.compile(r"[,;:]\s|\bbut\b", re.IGNORECASE)
_AROUND = " \t\r\n*_`$\"'"
_AFTER = _AROUND + ".,;:!?"


def extract_answer(text: str, marker: str = MARKER) -> str | None:
    """Return what follows the last marker, to the end of its line.

    Args:
        text: What a model said; anything.
        marker: Stands before the answer, in upper or lower case.

    Returns:
        The answer without markdown, closing punctuation and anything from a special token (`<|...|>`) on;
        None if there is no marker or nothing after the last one.
    """
    found = after_marker(text, marker)
    return tidy(found) if found else None


def after_marker(text: str, marker: str = MARKER, *, multiline: bool = False) -> str | None:
    """Return what follows the last marker as it stands, to the end of its line or of the text; None if nothing."""
    last = None
    for match in _marker(marker).finditer(text):
        last = match
    if last is None:
        return None
    after = text[last.end() :].split("<|", 1)[0]
    if not multiline:
        after = (after.splitlines() or [""])[0]
    return after.strip() or None


@lru_cache(maxsize=32)
def _marker(marker: str) -> re.Pattern[str]:
    return re.compile(re.escape(marker), re.IGNORECASE)


def tidy(answer: str) -> str:
    r"""Strip markdown, quotes, `\boxed{}` and closing punctuation from an answer.

    An answer of nothing but such signs is kept as it is.
    """
    bare = answer.strip()
    inner = bare.lstrip(_AROUND).rstrip(_AFTER)
    boxed = _BOXED.fullmatch(inner)
    inner = boxed.group(1).strip() if boxed else inner
    return inner or bare


def normalise(answer: str) -> str:
    """Return the form in which two answers are compared: one spelling of case, width, spaces and minus signs."""
    plain = unicodedata.normalize("NFKC", tidy(answer)).replace("\u2212", "-")
    return " ".join(plain.casefold().split())


def as_number(answer: str) -> Fraction | None:
    """Read a whole text as one number: `-7`, `1,000`, `3.50`, `1/2`, with or without a currency sign.

    Returns:
        The exact value; None if the text is anything else, an expression included.
    """
    text = normalise(answer).lstrip("$€£¥ ")
    if len(text) > MAX_NUMBER:
        return None
    if _NUMBER.fullmatch(text):
        return Fraction(text.replace(",", "").rstrip("."))
    if _FRACTION.fullmatch(text) and text.split("/")[1].strip(" 0"):
        return Fraction(text.replace(" ", ""))
    return None


def same(answer: str, gold: str) -> bool:
    """Whether two answers are the same text, or the same number."""
    if normalise(answer) == normalise(gold):
        return True
    number = as_number(answer)
    return number is not None and number == as_number(gold)


def contains(text: str, answer: str) -> bool:
    """Whether a text contains an answer as whole words, in upper or lower case."""
    wanted = re.escape(_spaced(answer))
    # The digits on either side of a point or comma belong to one number: "18.0" does not contain 0.
    return re.search(rf"(?<!\w)(?<![0-9][.,]){wanted}(?!\w)(?![.,][0-9])", _spaced(text)) is not None


def negations(text: str) -> frozenset[str]:
    """Return the words of a text that negate: `not`, `isn't`, ..."""
    return frozenset(word for word in _WORD.findall(_spaced(text)) if word in _NEGATIONS or word.endswith("n't"))


def denies(text: str, answer: str) -> bool:
    """Whether a text names an answer, and every clause that does negates: `It is not Rome` denies Rome.

    `Not Paris, but Rome` does not. By the words alone, so `there is no doubt that it is Rome` counts as a denial.
    """
    named = [clause for clause in _CLAUSE_END.split(text) if contains(clause, answer)]
    return bool(named) and all(negations(clause) - negations(answer) for clause in named)


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold().split())
