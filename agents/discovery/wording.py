"""What of a text tells its kind: its words and signs, all numbers alike."""

from __future__ import annotations

import re
from typing import Final

CAP: Final = 600
"""Characters of a text that are looked at: what a question asks it mostly says at once."""
NUMBER: Final = "#"
"""Stands for every number."""
EXAMPLE_CAP: Final = 160

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_SIGNS: Final = {"+": "plus", "-": "minus", "−": "minus", "*": "times", "×": "times", "/": "over", "÷": "over"}
_SIGN = re.compile(rf"(?<=[{NUMBER})] )([-+*/×÷−])(?= [({NUMBER}-])")
_EXPRESSION = re.compile(rf"{NUMBER}(?:[ ()]*[-+*/×÷−][ ()−-]*{NUMBER})+")
_OPERATOR = re.compile(rf"[{NUMBER})] *([-+*/×÷−])")
_WORD = re.compile(r"[^\W\d_]{2,24}")


def masked(text: str) -> str:
    """Return a text with one sign for every number, and of an expression its operators, each once.

    Two questions that differ only in their numbers, or in how often they add, become the same.
    """
    plain = " ".join(_NUMBER.sub(f" {NUMBER} ", _one_line(text[:CAP])).split())
    return _EXPRESSION.sub(_shortened, plain)


def _shortened(expression: re.Match[str]) -> str:
    operators = sorted(set(_OPERATOR.findall(expression[0])))
    return " ".join([NUMBER, f" {NUMBER} ".join(operators), NUMBER])


def words(text: str) -> list[str]:
    """Return the words of a masked text in lower case; a sign between numbers is the word for it."""
    return _WORD.findall(_SIGN.sub(lambda sign: f" {_SIGNS[sign[1]]} ", text).lower())


def shown(text: str, cap: int = EXAMPLE_CAP) -> str:
    """Return foreign text as it may stand in a description: one line, cut, nothing in it that a terminal obeys."""
    line = _one_line(text[: 4 * cap])
    return line if len(line) <= cap else f"{line[: cap - 3].rstrip()}..."


def _one_line(text: str) -> str:
    """Replace by spaces what a terminal obeys, what turns or hides text, and halves of a surrogate pair."""
    line = " ".join(text.split())
    if line.isprintable():  # almost all texts are, and to look at each character takes long
        return line
    return " ".join("".join(one if one.isprintable() else " " for one in line).split())
