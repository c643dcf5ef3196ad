"""Read the equations of a text and judge them with exact arithmetic.

A wrong alarm misleads a diagnosis more than a missed error does, so whatever can be read in two ways counts
as `unread`: it is neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Final, Literal, NamedTuple

from ...arithmetic import Step, work
from .expressions import Expression, clauses, expression_of, sides_of
from .tokens import Token

_FAMILIES: Final = (
    frozenset({"second", "minute", "hour", "day", "week", "month", "year"}),
    frozenset({"cent", "dollar", "quarter", "dime", "nickel", "penny", "pennie", "penn"}),
    frozenset({"inch", "inche", "foot", "feet", "yard", "mile"}),
    frozenset({"mm", "cm", "m", "km", "meter", "metre", "kilometer", "centimeter"}),
    frozenset({"g", "kg", "mg", "gram", "kilogram", "ounce", "pound", "ton"}),
    frozenset({"l", "ml", "liter", "litre", "cup", "pint", "quart", "gallon"}),
)
"""Units that convert into one another: an equation that mixes them may hold although its numbers do not."""


_PER: Final = frozenset({"/", "per", "a", "an", "each", "every"})


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
    for clause in clauses(text):
        found.extend(_chain(clause))
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
    mixes_percent = "/ 100)" in left.text and any(op in left.operators for op in "+-")
    return "unread" if mixes_percent or _converts(left.words + right.words) else "wrong"


def same(first: Fraction, second: Fraction) -> bool:
    """Whether two values agree up to what floating point leaves over."""
    whole = first.denominator == second.denominator == 1
    return first == second or (not whole and abs(first - second) * 10**9 <= abs(first))


def rounds_to(exact: Fraction, shown: Fraction, left: Expression, places: int | None) -> bool:
    """Whether a number shown with so many decimals is a rounded or cut-off form of the exact one.

    Only where rounding is usual: quotients, long decimals, and whole numbers made from decimals. `7 / 2 = 3` is not.
    """
    if places is None or places > 20 or exact.denominator == 1:
        return False
    endless = 10**20 % exact.denominator != 0
    if places:
        usual = "/" in left.operators or exact.denominator > 100
    else:
        usual = any(number.denominator != 1 for number in left.numbers) or "/ 100)" in left.text
        usual = usual or left.operators.count("/") > 1
    return (endless or usual) and abs(exact - shown) * 10**places < 1


def _converts(words: Sequence[str]) -> bool:
    """Whether the words name two units of one family, so that a conversion may be meant."""
    stems = [word if len(word) < 3 else word.removesuffix("s") for word in words]
    return any(_mixed(stems, family) for family in _FAMILIES)


def _mixed(stems: Sequence[str], family: frozenset[str]) -> bool:
    """Whether units of a family stand together without a rate, such as `7 days/week`, that says how they convert."""
    mixed = set(stems) & family
    for unit, per, other in zip(stems, stems[1:], stems[2:], strict=False):
        if per in _PER and unit in family and other in family:
            mixed -= {unit, other}
    return len(set(stems) & family) > 1 and bool(mixed)
