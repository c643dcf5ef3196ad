"""Wrong ways to do one operation: each returns a wrong result, or None where there is no occasion for the mistake."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tutelage.arithmetic import as_text, evaluate

Step = Callable[[Fraction, str, Fraction], Fraction | None]
"""From an operation's left side, sign and right side to its wrong result."""


def apply(a: Fraction, op: str, b: Fraction) -> Fraction:
    """Return the right result."""
    value = evaluate(f"({a}) {op} ({b})")
    assert value is not None
    return value


def _digits(a: Fraction, b: Fraction) -> list[tuple[int, int]]:
    one, other = str(int(a))[::-1], str(int(b))[::-1]
    size = max(len(one), len(other))
    return list(zip(map(int, one.ljust(size, "0")), map(int, other.ljust(size, "0")), strict=True))


def _no_carry(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    if op != "+" or a < 0:
        return None
    wrong = sum((x + y) % 10 * 10**at for at, (x, y) in enumerate(_digits(a, b)))
    return Fraction(wrong) if wrong != a + b else None


def _smaller_from_larger(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    if op != "-" or a < b:
        return None
    wrong = sum(abs(x - y) * 10**at for at, (x, y) in enumerate(_digits(a, b)))
    return Fraction(wrong) if wrong != a - b else None


def _done_as(op: str, other: str) -> Step:
    return lambda a, sign, b: apply(a, other, b) if sign == op and b else None


def _sign_lost(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    result = apply(a, op, b)
    return -result if result < 0 else None


def _off(by: int) -> Step:
    return lambda a, op, b: apply(a, op, b) + by if op == "+" and a > 9 else None


def _place_ignored(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return a * sum(map(int, str(int(b)))) if b > 9 and op == "*" else None


def _zero_lost(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return a * b / 10 if op == "*" and a * b % 10 == 0 else None


def _one_time_less(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return a * (b - 1) if op == "*" and b > 2 else None


def point_misplaced(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    """Do it rightly, and put the point one place too far to the right."""
    return apply(a, op, b) * 10


def right_aligned(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    """Add or subtract with the last digits under one another, wherever the points are."""
    places = [len(as_text(x).partition(".")[2]) for x in (a, b)]
    return apply(a, op, b * Fraction(10) ** (places[1] - places[0])) if places[0] != places[1] else None


CHAIN: dict[str, Step] = {
    "no carry": _no_carry,
    "smaller digit from larger": _smaller_from_larger,
    "subtraction done as addition": _done_as("-", "+"),
    "addition done as subtraction": _done_as("+", "-"),
    "sign lost": _sign_lost,
    "ten too many": _off(10),
    "one too few": _off(-1),
}
PRODUCTS: dict[str, Step] = {
    "place of a digit ignored": _place_ignored,
    "last zero lost": _zero_lost,
    "multiplication done as addition": _done_as("*", "+"),
    "one time too few": _one_time_less,
}
