"""Read the equations of a text and judge them with exact arithmetic.

A wrong alarm misleads a diagnosis more than a missed error does, so whatever can be read in two ways counts
as `unread`: it is neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product, zip_longest
from typing import Final, Literal, NamedTuple

from ...arithmetic import Step, work
from .expressions import Expression, clauses, expression_of, sides_of
from .tokens import Token
from .units import converts

_REMAINDERS: Final = frozenset({"remainder", "remainders", "rem"})


class Equation(NamedTuple):
    """Two sides that are said to be equal."""

    left: Expression
    right: Expression | None
    verdict: Literal["holds", "wrong", "unread"]
    start: int
    end: int

    def steps(self) -> tuple[Step, ...]:
        """Return the operations on the left side."""
        return work(self.left.text)


def read_equations(text: str) -> list[Equation]:
    """Return the equations of a text in order; chains such as `a + b = c = d` give one for each equals sign."""
    found: list[Equation] = []
    read = list(clauses(text))
    for clause, after in zip_longest(read, read[1:], fillvalue=()):
        chain = list(_chain(list(clause)))
        if chain and any(token.text.lower() in _REMAINDERS for token in after[:3]):
            chain[-1] = chain[-1]._replace(verdict="unread")  # `7 / 2 = 3, remainder 1`
        found.extend(chain)
    return found


def _chain(clause: list[Token]) -> Iterator[Equation]:
    """Judge each equals sign of a clause against what stands on its left."""
    sides = sides_of(clause)
    left = expression_of(sides[0], from_left=False)
    for equals, side in zip((t for t in clause if t.kind == "="), sides[1:], strict=True):
        right = expression_of(side, from_left=True)
        if left is not None and _comparable(left, right):
            verdict = _verdict(left, right) if right is not None else "unread"
            yield Equation(left, right, verdict, left.start, right.end if right else equals.end)
        left = right if right is not None and right.whole else expression_of(side, from_left=False)
        if left is not None and right is left and not left.operators and not left.whole:
            left = None


def _comparable(left: Expression, right: Expression | None) -> bool:
    """`Cost of 5 classes = 60` says nothing of the number 5: without an operation, a side must stand alone."""
    if left.operators:
        return True
    return left.whole and not left.words and right is not None


def _verdict(left: Expression, right: Expression) -> Literal["holds", "wrong", "unread"]:
    """Compare two sides; what can be excused is unread."""
    pairs = list(product(left.values, right.values))
    if any(same(a, b) or rounds_to(a, b, left, right.places) for a, b in pairs):
        return "holds"
    if right.operators and right.numbers and any(same(a, right.numbers[0]) for a in left.values):
        return "holds"  # `5 + 3 = 8 - 2 = 6`: a running total, not meant as one equality
    if left.doubtful or right.doubtful or not (left.operators or right.operators or left.whole):
        return "unread"
    mixes_percent = 0 < left.text.count("/ 100)") < len(left.numbers) and any(op in left.operators for op in "+-")
    return "unread" if mixes_percent or converts(left.words + right.words + _currency(left, right)) else "wrong"


def _currency(*sides: Expression) -> tuple[str, ...]:
    return ("dollar",) if any(side.currency for side in sides) else ()


def same(first: Fraction, second: Fraction) -> bool:
    """Whether two values agree up to what floating point leaves over."""
    whole = first.denominator == second.denominator == 1
    return first == second or (not whole and abs(first - second) * 10**9 <= abs(first))


def rounds_to(exact: Fraction, shown: Fraction, left: Expression, places: int | None) -> bool:
    """Whether a number shown with so many decimals is the exact one rounded or cut off.

    Only where rounding is usual: quotients, long decimals, and whole numbers made from products with decimals or
    percentages (35 students, in truth 35.2). `7 / 2 = 3`, `1.5 + 1.4 = 3` and `2.5 * 3 = 8` are not.
    """
    if places is None or places > 20 or exact.denominator == 1:
        return False
    unit = Fraction(1, 10**places)
    cut = 0 <= (exact - shown) * (1 if exact > 0 else -1) < unit
    if places:
        usual = "/" in left.operators or exact.denominator > 100 or 10**20 % exact.denominator != 0
        return usual and (cut or abs(exact - shown) * 2 <= unit)
    return _may_be_whole(exact, left) and (cut or abs(exact - shown) * 2 < unit)


def _may_be_whole(exact: Fraction, left: Expression) -> bool:
    """Whether it is usual to give a whole number for what an expression comes to."""
    if set(left.operators) & {"+", "-"}:
        return False
    decimals = any(number.denominator != 1 for number in left.numbers) or "/ 100)" in left.text
    return decimals or 10**20 % exact.denominator != 0 or left.operators.count("/") > 1
