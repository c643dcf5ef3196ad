"""What solves a problem of reasoning_gym: operations that refer to one another.

The operations come from Python's own parser, not from the one that the step finder uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from wrong_steps import apply

_SIGN_OF = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Operand(NamedTuple):
    """A number, or the result of an earlier operation."""

    value: Fraction
    step: int | None = None


class Operation(NamedTuple):
    """One operation, and the unit of its operands and its result, if they have one."""

    left: Operand
    op: str
    right: Operand
    units: tuple[str, str, str] = ("", "", "")


@dataclass
class Problem:
    """A problem with the operations that solve it."""

    task: str
    question: str
    operations: list[Operation]
    answer: str | None = None
    """The final answer where it is not the last result."""
    fraction: tuple[int, int, int] | None = None
    """Numerator, denominator and what both are divided by."""


class Line(NamedTuple):
    """An operation carried out."""

    left: Fraction
    op: str
    right: Fraction
    result: Fraction
    units: tuple[str, str, str] = ("", "", "")


def problems(task: str, n: int, seed: int) -> Iterator[Problem]:
    """Draw problems of a task; those that the task has no plain operations for are left out."""
    import reasoning_gym

    for row in reasoning_gym.create_dataset(task, size=4 * n, seed=seed):
        operations = _OPERATIONS[task](row["metadata"])
        if operations:
            answer, fraction = _other_answer(task, row)
            yield Problem(task, row["question"].strip(), operations, answer, fraction)


def _other_answer(task: str, row: dict[str, Any]) -> tuple[str | None, tuple[int, int, int] | None]:
    facts = row["metadata"]
    if task == "fraction_simplification":
        given = (facts["numerator"], facts["denominator"], facts["reduction_factor"])
        return f"{given[0] // given[2]}/{given[1] // given[2]}", given
    return (row["answer"] if task == "time_intervals" else None), None


def value_of(expression: str) -> Fraction:
    """Return what an expression comes to, by Python's parser and exact arithmetic."""
    operations = of_expression(expression)
    return carry_out(operations)[-1].result if operations else Fraction(expression)


def of_expression(expression: str) -> list[Operation]:
    """Return the operations of an expression in the order in which Python carries them out."""
    found: list[Operation] = []

    def read(node: ast.expr) -> Operand:
        if isinstance(node, ast.UnaryOp):
            inner = read(node.operand)
            return Operand(-inner.value, inner.step)
        if isinstance(node, ast.BinOp):
            left, right, sign = read(node.left), read(node.right), _SIGN_OF[type(node.op)]
            found.append(Operation(left, sign, right))
            return Operand(apply(left.value, sign, right.value), len(found) - 1)
        return Operand(Fraction(ast.get_source_segment(expression, node)))

    read(ast.parse(expression.strip(), mode="eval").body)
    return found


def _legs(facts: dict[str, Any]) -> list[Operation]:
    from reasoning_gym.arithmetic.leg_counting import ANIMALS

    units = ("animals", "legs", "legs")
    found = [
        Operation(Operand(Fraction(count)), "*", Operand(Fraction(ANIMALS[animal])), units)
        for animal, count in facts["animals"].items()
        if ANIMALS[animal]
    ]
    return _summed(found, ("legs", "legs", "legs")) if len(found) > 1 else []


def _summed(found: list[Operation], units: tuple[str, str, str]) -> list[Operation]:
    """Add up the results of some operations."""
    results = [Operand(apply(o.left.value, o.op, o.right.value), at) for at, o in enumerate(found)]
    total, made = results[0], list(found)
    for result in results[1:]:
        made.append(Operation(total, "+", result, units))
        total = Operand(total.value + result.value, len(made) - 1)
    return made


def _interval(facts: dict[str, Any]) -> list[Operation]:
    """Turn both times into minutes and subtract."""
    if facts["task_type"] != "time" or facts["format"] != "%H:%M":
        return []
    start, end = (
        [Fraction(part) for part in facts[f"{which}_time"].split()[1].split(":")[:2]] for which in ("start", "end")
    )
    made: list[Operation] = []
    for hours, minutes in (start, end):
        made.append(Operation(Operand(hours), "*", Operand(Fraction(60))))
        made.append(
            Operation(Operand(hours * 60, len(made) - 1), "+", Operand(minutes), ("minutes", "minutes", "minutes"))
        )
    before, after = start[0] * 60 + start[1], end[0] * 60 + end[1]
    if after <= before:
        return []
    made.append(Operation(Operand(after, 3), "-", Operand(before, 1), ("minutes", "minutes", "minutes")))
    return made


def _equation(facts: dict[str, Any]) -> list[Operation]:
    """Solve `a*x + b = c`: subtract b, divide by a."""
    match = re.fullmatch(rf"(-?\d+)\*{facts['variable']} ([-+]) (\d+) = (-?\d+)", facts["equation"])
    if match is None:
        return []
    a, b, c = Fraction(match[1]), Fraction(match[3]), Fraction(match[4])
    op = "-" if match[2] == "+" else "+"
    rest = apply(c, op, b)
    return [Operation(Operand(c), op, Operand(b)), Operation(Operand(rest, 0), "/", Operand(a))]


def _fraction(facts: dict[str, Any]) -> list[Operation]:
    by = Operand(Fraction(facts["reduction_factor"]))
    if by.value < 2:
        return []
    return [Operation(Operand(Fraction(facts[part])), "/", by) for part in ("numerator", "denominator")]


_OPERATIONS = {
    **dict.fromkeys(
        ("chain_sum", "decimal_chain_sum", "products", "basic_arithmetic"),
        lambda facts: of_expression(facts["expression"]),
    ),
    "leg_counting": _legs,
    "time_intervals": _interval,
    "simple_equations": _equation,
    "fraction_simplification": _fraction,
}
TASKS = tuple(_OPERATIONS)


def finer(operations: Sequence[Operation]) -> list[Operation]:
    """Add and subtract the tens and then the units; multiply by the tens and by the units, and add up."""
    made: list[Operation] = []
    now: dict[int, int] = {}
    for at, (left, op, right, units) in enumerate(operations):
        left, right = (Operand(o.value, None if o.step is None else now[o.step]) for o in (left, right))
        parts = _parts(right) if op != "/" else []
        if len(parts) < 2 or left.value.denominator != 1 or left.value < 0:
            made.append(Operation(left, op, right, units))
        elif op == "*":
            products = [Operation(left, op, Operand(part), units) for part in parts]
            shift = len(made)
            made += [_shifted(o, shift) if at >= len(parts) else o for at, o in enumerate(_summed(products, units))]
        else:
            for part in parts:
                made.append(Operation(left, op, Operand(part), units))
                left = Operand(apply(left.value, op, part), len(made) - 1)
        now[at] = len(made) - 1
    return made


def _parts(right: Operand) -> list[Fraction]:
    if right.step is not None or right.value.denominator != 1 or right.value < 10:
        return []
    digits = str(int(right.value))
    places = [Fraction(int(digit) * 10 ** (len(digits) - at - 1)) for at, digit in enumerate(digits)]
    return [place for place in places if place]


def _shifted(operation: Operation, by: int) -> Operation:
    left, op, right, units = operation
    moved = (Operand(o.value, None if o.step is None else o.step + by) for o in (left, right))
    first, second = moved
    return Operation(first, op, second, units)


def carry_out(operations: Sequence[Operation], changed: dict[int, Fraction] | None = None) -> list[Line]:
    """Carry operations out; `changed` has wrong results by operation, with which the later ones go on."""
    lines: list[Line] = []
    for at, (left, op, right, units) in enumerate(operations):
        a, b = (o.value if o.step is None else lines[o.step].result * _sign(o, operations) for o in (left, right))
        result = apply(a, op, b) if not changed or at not in changed else changed[at]
        lines.append(Line(a, op, b, result, units))
    return lines


def _sign(operand: Operand, operations: Sequence[Operation]) -> int:
    """A reference may be negated: `-( 3 + 4 )`."""
    assert operand.step is not None
    left, op, right, _ = operations[operand.step]
    return -1 if operand.value and apply(left.value, op, right.value) == -operand.value else 1
