"""Numbers that a solution copied wrongly from its question."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from ...arithmetic import as_text
from ...schema import WrongStep
from .equations import Equation, same
from .expressions import Expression
from .parts import parts_of, places_of, taken_in_parts
from .story import is_slip, misread_from_story
from .tokens import SHOWN, numbers_in

_MAX_KNOWN: Final = 60
_SMALL: Final = 10
"""Numbers up to this are made in passing (7 + 9: 7 + 3 = 10), so they are never called copied wrongly."""


def miscopied(
    question: str, asked: Expression | None, equations: Sequence[Equation], text: str, ends_wrong: bool = False
) -> WrongStep | None:
    """Find an equation with a number that was copied wrongly: one of the question's with a slip in its digits.

    Args:
        question: The problem's question.
        asked: The expression that it asks for, if it is one; else it is a word problem.
        equations: The solution's equations.
        text: The solution.
        ends_wrong: Whether its final answer is known not to be what is asked; then a number one off is a slip, too.

    Returns:
        The step, with the number meant and the number found; None if nothing looks copied wrongly.
    """
    if asked is None:
        return misread_from_story(question, equations, text)
    return _misread_from(asked, equations, text, ends_wrong)


def _misread_from(asked: Expression, equations: Sequence[Equation], text: str, ends_wrong: bool) -> WrongStep | None:
    known, used = {abs(number) for number in asked.numbers}, set[Fraction]()
    unused = sorted(known - numbers_in(text))
    rests = taken_in_parts(known, {abs(number) for e in equations for number in e.left.numbers})
    rewritten = -1
    for equation in equations:
        left, right = equation.left, equation.right
        if equation.verdict != "holds" or len(known) > _MAX_KNOWN or right is None:
            return None
        operands = [abs(number) for number in left.numbers]
        strange = [n for n in operands if n > _SMALL and n not in rests and not _derived(n, known, used)]
        if left.operators and left.start != rewritten and not _worth(left, asked):
            step = _slipped(strange, unused, set() if ends_wrong else known, left)
            if step is not None:
                return step
        rewritten = right.start  # the next link of a chain: equal to what came before, so its numbers are in order
        used.update(operands)
        known.update(abs(number) for number in (*operands, *right.values, *right.numbers))
    return None


def _slipped(
    strange: Sequence[Fraction], unused: Sequence[Fraction], known: set[Fraction], left: Expression
) -> WrongStep | None:
    for number in strange:
        meant = next((one for one in unused if is_slip(number, one, True, known)), None)
        if meant is not None:
            told = {"expected": as_text(meant)[:SHOWN], "found": as_text(number)[:SHOWN]}
            return WrongStep(kind="copied", start=left.start, end=left.end, **told)
    return None


def _worth(expression: Expression, asked: Expression) -> bool:
    """Whether an expression is another form of what is asked."""
    return any(same(value, wanted) for value in expression.values for wanted in asked.values)


def _derived(number: Fraction, known: set[Fraction], used: set[Fraction]) -> bool:
    """Whether a number is known, a digit's worth (with ten borrowed: 14) or rounded form of one, or completes one."""
    if number in known or (number.denominator != 1 and places_of(number) is None):
        return True
    if any(number + u in known or abs(number - u) in known for u in used):
        return True
    borrowed = number - 10 if 10 < number < 20 else None
    return any(part in (number, borrowed) for k in known for part in parts_of(k))
