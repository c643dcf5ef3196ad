"""What a wrong value would come from, if one operation of an expression had been done otherwise.

A mistake in one step shifts a sum by as much as it shifts the step: so each step is tried with the whole shift. Where
the step's result is multiplied afterwards, that finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from ..arithmetic import Step, as_text, evaluate, work

OPERATIONS = {"+": "addition", "-": "subtraction", "*": "multiplication", "/": "division"}
_MOST = 20
"""Steps and terms that are tried."""


def bugs(expression: str, wrong: Fraction) -> Iterator[str]:
    """Yield what might have been done to arrive at a wrong value of an expression."""
    steps = work(expression)
    right = evaluate(expression)
    if not steps or right is None:
        return
    for step in steps[:_MOST]:
        yield from _of_step(step, step.result + wrong - right)
    yield from _of_operands(expression, wrong)
    if len(steps) > 1:
        yield from _of_reading(expression, wrong)
    elif wrong in (steps[0].left, steps[0].right):
        yield "an operand as the result"


def _of_step(step: Step, wrong: Fraction) -> Iterator[str]:
    """Name what one operation was taken for."""
    a, op, b = step.left, step.op, step.right
    for other, name in OPERATIONS.items():
        if other != op and evaluate(f"({a}) {other} ({b})") == wrong:
            yield f"{OPERATIONS[op]} done as {name}"
    if wrong == -step.result:
        yield "sign lost"
    if wrong in (step.result * 10, step.result / 10):
        yield "decimal place lost"
    if op == "*" and wrong in (a * (b - 1), a * (b + 1), b * (a - 1), b * (a + 1)):
        yield "one time too few or too many"
    if a.denominator == b.denominator == 1:
        yield from _of_columns(abs(int(a)), op, abs(int(b)), abs(wrong))
    elif op in "+-" and any(evaluate(f"({a}) {op} ({b * Fraction(10) ** n})") == wrong for n in (-3, -2, -1, 1, 2, 3)):
        yield "places not under one another"


def _of_columns(a: int, op: str, b: int, wrong: Fraction) -> Iterator[str]:
    columns = list(islice(_columns(a, b), 30))
    if op == "+" and wrong == sum((x + y) % 10 * 10**at for at, (x, y) in enumerate(columns)) != a + b:
        yield "no carry"
    if op == "-" and wrong == sum(abs(x - y) * 10**at for at, (x, y) in enumerate(columns)) != abs(a - b):
        yield "smaller digit from larger"
    if op == "*" and wrong != a * b and wrong in (a * _digit_sum(b), b * _digit_sum(a)):
        yield "place of a digit ignored"
    if op == "/" and b and a % b and wrong == a // b:
        yield "remainder ignored"


def _columns(a: int, b: int) -> Iterator[tuple[int, int]]:
    """Yield the digits of two numbers in pairs, the ones first."""
    while a or b:
        yield a % 10, b % 10
        a, b = a // 10, b // 10


def _digit_sum(number: int) -> int:
    return sum(map(int, str(number)))


def _of_operands(expression: str, wrong: Fraction) -> Iterator[str]:
    """Say so if a number with two neighbouring digits exchanged would give the wrong value."""
    for match in islice(re.finditer(r"\d\d+", expression), _MOST):
        number = match.group()[:30]
        for at in range(len(number) - 1):
            other = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
            if other != number and evaluate(expression[: match.start()] + other + expression[match.end() :]) == wrong:
                yield "digits of an operand exchanged"


def _of_reading(expression: str, wrong: Fraction) -> Iterator[str]:
    """Name what an expression of several operations was read as."""
    parts = re.findall(r"\d+(?:\.\d+)?|[-+*/()]", expression)
    signs = [at for at, part in enumerate(parts) if part in OPERATIONS and at and parts[at - 1] not in "+-*/("]
    for at in signs[:_MOST]:
        if evaluate(" ".join((*parts[:at], *parts[at + 2 :]))) == wrong:
            yield "a term left out"
    flat = [part for part in parts if part not in "()"]
    if "(" in parts and evaluate(" ".join(flat)) == wrong:
        yield "parentheses ignored"
    if _left_to_right(_signed(flat)) == wrong:
        yield "left to right"


def _signed(parts: list[str]) -> list[str]:
    """Join each sign that stands before a number, rather than between two, to its number."""
    joined: list[str] = []
    for part in parts:
        if joined and joined[-1] == "-" and (len(joined) == 1 or joined[-2] in OPERATIONS):
            joined[-1] = f"-{part}"
        else:
            joined.append(part)
    return joined


def _left_to_right(parts: list[str]) -> Fraction | None:
    value = evaluate(parts[0]) if parts else None
    for op, number in zip(parts[1::2], parts[2::2], strict=False):
        value = None if value is None else evaluate(f"({as_text(value)}) {op} ({number})")
    return value
