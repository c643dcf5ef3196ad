"""Numbers taken apart by their digits, as place-value arithmetic does."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

_MAX_PLACES: Final = 12
_MOST: Final = 60


def places_of(number: Fraction) -> int | None:
    """Return how many decimal places a number has; None if that is no small number."""
    return next((places for places in range(_MAX_PLACES) if (number * 10**places).denominator == 1), None)


def parts_of(number: Fraction) -> Iterator[Fraction]:
    """Yield a number's digits with and without their place, and its rounded forms."""
    places = places_of(number)
    whole = 0 if places is None or number >= 10**_MAX_PLACES else int(number * 10**places)
    unit, place = Fraction(1, 10 ** (places or 0)), 1
    while place <= whole:
        digit, lead = whole // place % 10, whole // place
        yield Fraction(digit)
        yield from (digit * place * unit, lead * place * unit, (lead + (place > 1)) * place * unit)
        place *= 10


def taken_in_parts(known: set[Fraction], operands: set[Fraction]) -> set[Fraction]:
    """Return the parts of the known numbers that the solution takes one by one: 3000 and 863 for 3863."""
    found: set[Fraction] = set()
    for number in sorted(known)[:_MOST]:
        places = places_of(number)
        if places is not None and number < 10**_MAX_PLACES:
            unit = 10**places
            parts = frozenset(int(part * unit) for part in operands if (part * unit).denominator == 1)
            found.update(Fraction(part, unit) for part in _taken(int(number * unit), parts))
    return found


def _taken(whole: int, parts: frozenset[int]) -> set[int]:
    """Return the parts that make up a whole number, cut between its digits; none if some digits are not among them."""
    if whole in parts:
        return {whole}
    place = 10
    while place <= whole:
        rest, lead = whole % place, whole - whole % place
        for part, other in ((lead, rest), (rest, lead)):
            others = _taken(other, parts) if part in parts and part and other else set()
            if others:
                return {part, other} | others
        place *= 10
    return set()
