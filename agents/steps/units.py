"""Units of measure that convert into one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_FAMILIES: Final = (
    frozenset({"second", "minute", "hour", "day", "week", "month", "year", "s", "sec", "min", "h", "hr", "wk", "yr"}),
    frozenset({"cent", "dollar", "quarter", "dime", "nickel", "penny", "pennie", "penn"}),
    frozenset({"inch", "inche", "foot", "feet", "yard", "mile", "in", "ft", "yd", "mi"}),
    frozenset({"mm", "cm", "m", "km", "meter", "metre", "kilometer", "kilometre", "centimeter", "millimeter"}),
    frozenset({"g", "kg", "mg", "gram", "kilogram", "ounce", "pound", "ton", "oz", "lb"}),
    frozenset({"l", "ml", "liter", "litre", "cup", "pint", "quart", "gallon", "pt", "qt", "gal", "tbsp", "tsp"}),
)
"""Units that convert into one another: an equation that mixes them may hold although its numbers do not."""


_PER: Final = frozenset({"/", "per", "a", "an", "each", "every"})


def is_unit(word: str) -> bool:
    """Whether a word names a unit of measure."""
    return any(_stem(word.lower()) in family for family in _FAMILIES)


def converts(words: Sequence[str]) -> bool:
    """Whether the words name two units of one family, so that a conversion may be meant."""
    stems = [_stem(word) for word in words]
    return any(_mixed(stems, family) for family in _FAMILIES)


def _stem(word: str) -> str:
    return word if len(word) < 3 else word.removesuffix("s")


def _mixed(stems: Sequence[str], family: frozenset[str]) -> bool:
    """Whether units of a family stand together without a rate, such as `7 days/week`, that says how they convert."""
    mixed = set(stems) & family
    for unit, per, other in zip(stems, stems[1:], stems[2:], strict=False):
        if per in _PER and unit in family and other in family:
            mixed -= {unit, other}
    return len(set(stems) & family) > 1 and bool(mixed)
