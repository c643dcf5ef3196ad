"""Numbers that a solution copied wrongly from its question."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from ...schema import WrongStep
from .equations import Equation
from .expressions import read_expressions
from .tokens import SHOWN, numbers_in

_MAX_KNOWN: Final = 60
_SMALL: Final = 10
"""Numbers up to this are made in passing (7 + 9: 7 + 3 = 10), so they are never called copied wrongly."""


def miscopied(question: str, equations: list[Equation], text: str) -> WrongStep | None:
    """Find an equation with a number that comes from nowhere.

    Only where the question is an expression, such as `51 - 26 =`: word problems bring numbers that they do not
    name (12 months). Parts (20 of 26), rounded numbers, and what completes a number already used are in order.
    """
    asked = _asked(question)
    if asked is None:
        return None
    known, used = numbers_in(question), set[Fraction]()
    rewritten = -1
    for equation in equations:
        if equation.verdict != "holds" or len(known) > _MAX_KNOWN or equation.right is None:
            return None
        left, right = equation.left, equation.right
        operands = [abs(number) for number in left.numbers]
        strange = [n for n in operands if n > _SMALL and not _derived(n, known, used)]
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
    if number in known or number.denominator != 1:
        return True
    if any(number + u in known or abs(number - u) in known for u in used):
        return True
    return any(int(number) in _parts(int(k)) for k in known if k.denominator == 1 and k < 10**12)


def _parts(whole: int) -> Iterator[int]:
    """Yield a number's digits with and without their place, its beginnings, its rests and its rounded forms."""
    place = 1
    while place <= whole:
        digit, rest, lead = whole // place % 10, whole % (place * 10), whole // place
        yield from (digit, digit * place, rest, lead, lead * place, (lead + (place > 1)) * place)
        place *= 10
