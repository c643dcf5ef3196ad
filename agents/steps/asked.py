"""The expression that a question asks for, and whether a solution arrives at its value."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final

from ...arithmetic import as_text
from .answers import FinalAnswer
from .equations import Equation, rounds_to, same
from .expressions import Expression, read_expression, read_expressions
from .tokens import numbers_in

_MOST: Final = 40


def asked_expression(question: str) -> Expression | None:
    """Return the expression that a question asks for; None unless all its numbers are in one."""
    given = numbers_in(question)
    for expression in read_expressions(question):
        if len(expression.numbers) > 1 and given == {abs(number) for number in expression.numbers}:
            return expression
    return None


def solved(asked: Expression | None, equations: Sequence[Equation], answer: FinalAnswer | None) -> bool:
    """Whether the final answer, or without one the last result, is the exact or the rounded value of what is asked."""
    last = equations[-1].right if equations else None
    said = last if answer is None else read_expression(answer.text)
    if asked is None or said is None or said.doubtful:
        return False
    return any(
        same(value, shown) or rounds_to(value, shown, asked, said.places)
        for value in asked.values
        for shown in said.values
    )


def put_together(equations: Sequence[Equation], answer: FinalAnswer) -> bool:
    """Whether the answer comes from the results without an equation of its own: their digits, or a sum or difference.

    Column addition ends in `4 + 3 + 1 = 8` for 85, parts in `3 * 14 = 42` for 322.
    """
    said = read_expression(answer.text)
    results = [e.right.values[0] for e in equations if e.right is not None and e.right.values][-_MOST:]
    if said is None or not results or said.values[0] in (*results, *equations[-1].left.numbers):
        return False
    whole, last = said.values[0], results[-1]
    made = {value for a, b in combinations(results, 2) for value in (a + b, abs(a - b))} | {sum(results)}
    part = abs(last) < abs(whole) and _digits(last) in _digits(whole)
    return whole in made or part or _digits(last) == _digits(whole)


def _digits(value: Fraction) -> str:
    return as_text(abs(value)).replace(".", "").strip("0")
