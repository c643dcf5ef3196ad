"""Numbers that a solution copied wrongly from its question."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from ...schema import WrongStep
from .equations import Equation
from .expressions import read_expressions
from .parts import parts_of, places_of, taken_in_parts
from .story import misread_from_story
from .tokens import SHOWN, numbers_in

_MAX_KNOWN: Final = 60
_SMALL: Final = 10
"""Numbers up to this are made in passing (7 + 9: 7 + 3 = 10), so they are never called copied wrongly."""


def miscopied(question: str, equations: Sequence[Equation], text: str) -> WrongStep | None:
    """Find an equation with a number that was copied wrongly.

    Where the question is an expression, such as `51 - 26 =`, that is every number that comes from nowhere: parts (20 of
    26), rounded numbers, and what completes a number already used are in order. Word problems bring numbers that they
    do not name (12 months), so there only what looks like a number of the question counts.
    """
    asked = _asked(question)
    if asked is None:
        return misread_from_story(question, equations, text)
    known, used = numbers_in(question), set[Fraction]()
    simple = asked.strip("() ").count(" ") == 2 and "/" in asked
    rests = taken_in_parts(known, {abs(number) for e in equations for number in e.left.numbers})
    rewritten = -1
    for equation in equations:
        if equation.verdict != "holds" or len(known) > _MAX_KNOWN or equation.right is None:
            return None
        left, right = equation.left, equation.right
        operands = [abs(number) for number in left.numbers]
        strange = [n for n in operands if n > _SMALL and n not in rests and not _derived(n, known, used)]
        if simple:  # to simplify `6/8` is to divide by what is not in the question
            strange = [n for n in strange if not any((k / n).denominator == 1 for k in known)]
        if strange and left.operators and left.start != rewritten:
            found = text[left.start : left.end][:SHOWN]
            return WrongStep(kind="copied", start=left.start, end=left.end, expected=asked, found=found)
        rewritten = right.start  # the next link of a chain: equal to what came before, so its numbers are in order
        used.update(operands)
        known.update(abs(number) for number in (*right.values, *right.numbers))
    return None


def _asked(question: str) -> str | None:
    """Return the expression that the question asks for; None unless all its numbers are in one."""
    given = numbers_in(question)
    for expression in read_expressions(question):
        if len(expression.numbers) > 1 and given == {abs(number) for number in expression.numbers}:
            return expression.text[:SHOWN]
    return None


def _derived(number: Fraction, known: set[Fraction], used: set[Fraction]) -> bool:
    """Whether a number is known, a digit's worth or rounded form of a known one, or completes one."""
    if number in known or (number.denominator != 1 and places_of(number) is None):
        return True
    if any(number + u in known or abs(number - u) in known for u in used):
        return True
    return any(number in parts_of(k) for k in known)
