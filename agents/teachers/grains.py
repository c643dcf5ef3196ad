"""How arithmetic is written out: the operations of an expression as equations, in three grains.

`direct` writes one equation an operation. `place value` adds or subtracts the tens and then the units. `fine` also goes
through the next ten, and turns an operation below zero round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, get_args

from ...arithmetic import Step, as_text, work

Grain = Literal["direct", "place value", "fine"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
NEGATIVE = frozenset({"subtraction below zero", "from a negative number"})
"""Skills whose operations are easier turned round."""

_RULES: dict[Grain, str] = {
    "direct": "work from left to right, one operation a step.",
    "place value": "take the second number apart into tens and units, and take the tens first.",
    "fine": "take the tens first, then the units in two steps, through the next ten.",
}
_TURN_ROUND = "take the smaller number from the larger one, then put the sign."
_EXPRESSION = re.compile(r"[-\d(][-+*/×÷\d().,\s]{1,400}")


def find_expression(question: str) -> str:
    """Return the longest arithmetic expression in a question; an empty string if there is none."""
    found = [match.group().strip(" .,+*/×÷").rstrip("-(") for match in _EXPRESSION.finditer(question)]
    return max((text for text in found if work(text)), key=len, default="")


def finer(grain: Grain) -> Grain:
    """Return the next finer grain; the finest stays."""
    return GRAINS[min(GRAINS.index(grain) + 1, len(GRAINS) - 1)]


def other_grain(grain: Grain, draft: int) -> Grain:
    """Return the grain of a further draft: those after the first go through the other grains in turn."""
    return GRAINS[(GRAINS.index(grain) + draft) % len(GRAINS)]


def finest(grains: Sequence[Grain]) -> Grain:
    """Return the finest of some grains."""
    return max(grains, key=GRAINS.index)


def grain_in(text: str, step: Step) -> Grain | None:
    """Return the finest grain in which a text writes a step; None if it does not write it."""
    return next((grain for grain in reversed(GRAINS) if " ".join(write_step(step, grain)) in text), None)


def rule(skill: str, grain: Grain) -> str:
    """Say how a kind of operation is written in a grain."""
    return _TURN_ROUND if grain == "fine" and skill in NEGATIVE else _RULES[grain]


def write_step(step: Step, grain: Grain) -> list[str]:
    """Write one operation as equations, each a sentence."""
    whole = all(number.denominator == 1 for number in (step.left, step.right))
    if grain == "direct" or step.op not in "+-" or not whole or step.right < 0:
        return [_equation(step.left, step.op, step.right)]
    if grain == "fine" and step.skill in NEGATIVE:
        return _turn_round(step)
    return _by_place(int(step.left), step.op, int(step.right), fine=grain == "fine")


def _by_place(left: int, op: str, right: int, *, fine: bool) -> list[str]:
    """Take the places of the right operand one by one, the highest first; `fine` goes through the next ten."""
    sign = 1 if op == "+" else -1
    lines, at = [], left
    for part in _places(right):
        for piece in _through_ten(at, sign, part) if fine else [part]:
            lines.append(_equation(Fraction(at), op, Fraction(piece)))
            at += sign * piece
    return lines


def _places(number: int) -> list[int]:
    digits = str(number)
    parts = [int(digit) * 10 ** (len(digits) - place - 1) for place, digit in enumerate(digits)]
    return [part for part in parts if part] or [0]


def _through_ten(at: int, sign: int, part: int) -> list[int]:
    """Cut units in two where they cross a ten."""
    room = 10 - at % 10 if sign > 0 else at % 10
    crosses = at > 0 and part < 10 and 0 < room < part
    return [room, part - room] if crosses else [part]


def _turn_round(step: Step) -> list[str]:
    """Work with positive numbers first, by place, then put the sign: 51 - 26 = 25, so 26 - 51 = -25."""
    left, right = abs(int(step.left)), int(step.right)
    last = _equation(step.left, step.op, step.right)
    away = step.left < 0 and step.op == "-"
    bigger, smaller = (left, right) if away else (max(left, right), min(left, right))
    op = "+" if away else "-"
    return [*_by_place(bigger, op, smaller, fine=False), last]


def _equation(left: Fraction, op: str, right: Fraction) -> str:
    result = work(f"({as_text(left)}) {op} ({as_text(right)})")[-1].result
    return f"{as_text(left)} {op} {as_text(right)} = {as_text(result)}."
