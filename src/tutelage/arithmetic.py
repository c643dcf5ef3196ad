"""Exact arithmetic on text: evaluate an expression, list its steps, name the skill that each step needs.

The text may be anything a model said: it is read by a small parser of our own with caps on length and depth,
and whatever is not plain arithmetic gives None rather than an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

MAX_LENGTH: Final = 1000
"""Longer expressions are not read."""
MAX_DEPTH: Final = 50
"""Deeper nesting of parentheses and signs is not read."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)|(?P<sign>[-+*/()×÷·−]))"
)
_PLAIN = {"×": "*", "·": "*", "÷": "/", "−": "-"}


PREREQUISITES: Final[Mapping[str, tuple[str, ...]]] = {
    "addition with carry": ("addition without carry",),
    "subtraction with borrow": ("subtraction without borrow",),
    "subtraction below zero": ("subtraction without borrow",),
    "from a negative number": ("addition without carry", "subtraction below zero"),
    "multiplication by one digit": ("addition without carry",),
    "long multiplication": ("addition with carry", "multiplication by one digit"),
    "division": ("multiplication by one digit", "subtraction without borrow"),
    "addition of decimals": ("addition with carry",),
    "subtraction of decimals": ("subtraction with borrow",),
    "multiplication of decimals": ("long multiplication",),
    "division of decimals": ("division",),
    "addition of fractions": ("addition without carry", "multiplication of fractions"),
    "subtraction of fractions": ("multiplication of fractions", "subtraction without borrow"),
    "multiplication of fractions": ("multiplication by one digit",),
    "division of fractions": ("multiplication of fractions",),
}
"""What each skill that `skill_of` names builds on, in the order in which schools teach it."""


SKILLS: Final = frozenset(PREREQUISITES) | {needed for several in PREREQUISITES.values() for needed in several}
"""Every skill that `skill_of` names."""


class Step(NamedTuple):
    """One operation on two numbers."""

    left: Fraction
    op: str
    """`+`, `-`, `*` or `/`."""
    right: Fraction
    result: Fraction
    skill: str


class _Refused(Exception):
    """The text is not arithmetic that this module reads."""


class _Parser:
    """Recursive descent over `+ - * / ( )`; values are exact, steps are kept in evaluation order."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        self.steps: list[Step] = []

    def parse(self) -> Fraction:
        value = self._sum()
        if self.at != len(self.tokens):
            raise _Refused
        return value

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _sum(self) -> Fraction:
        value = self._product()
        while self._peek() in ("+", "-"):
            value = self._apply(value, self._take(), self._product())
        return value

    def _product(self) -> Fraction:
        value = self._factor()
        while self._peek() in ("*", "/"):
            value = self._apply(value, self._take(), self._factor())
        return value

    def _factor(self) -> Fraction:
        token = self._take()
        if token == "-":
            return -self._deeper(self._factor)
        if token == "(":
            value = self._deeper(self._sum)
            if self._take() != ")":
                raise _Refused
            return value
        if not token or not (token[0].isdigit() or token[0] == "."):
            raise _Refused
        return Fraction(token)

    def _deeper(self, rule: Callable[[], Fraction]) -> Fraction:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused
        value = rule()
        self.depth -= 1
        return value

    def _apply(self, left: Fraction, op: str, right: Fraction) -> Fraction:
        if op == "/" and right == 0:
            raise _Refused
        result = _calculate(left, op, right)
        self.steps.append(Step(left, op, right, result, skill_of(left, op, right)))
        return result


def _tokens(text: str) -> list[str]:
    """Split into numbers (separators removed) and signs (one spelling each)."""
    if len(text) > MAX_LENGTH:
        raise _Refused
    text = text.rstrip()
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _Refused
        number, sign = match["number"], match["sign"]
        found.append(number.replace(",", "") if number else _PLAIN.get(sign, sign))
        at = match.end()
    return found


def _calculate(left: Fraction, op: str, right: Fraction) -> Fraction:
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    return left * right if op == "*" else left / right


def evaluate(expression: str) -> Fraction | None:
    """Evaluate arithmetic exactly.

    Reads integers, decimals, thousands separators, `+ - * /` with `× ÷ ·`, parentheses and unary minus.
    A fraction is a division.

    Args:
        expression: Any text.

    Returns:
        The value; None for a division by zero and for anything that is not arithmetic. Never raises.
    """
    try:
        return _Parser(expression).parse()
    except _Refused:
        return None


def work(expression: str) -> tuple[Step, ...]:
    """List the operations of an expression in the order in which they are carried out.

    Returns:
        The steps, left to right with precedence and parentheses; empty if the text cannot be evaluated.
    """
    try:
        parser = _Parser(expression)
        parser.parse()
    except _Refused:
        return ()
    return tuple(parser.steps)


def skills_of(expression: str) -> tuple[str, ...]:
    """Return the skills that the steps of an expression need, sorted, each once."""
    return tuple(sorted({step.skill for step in work(expression)}))


def skill_of(left: Fraction, op: str, right: Fraction) -> str:
    """Name the skill that one operation needs.

    Carries and borrows are judged in every column of digits. Adding a negative number counts as subtracting,
    subtracting one as adding.

    Args:
        left: The first operand.
        op: `+`, `-`, `*` or `/`.
        right: The second operand.
    """
    kind = _number_kind(left, right)
    if kind:
        return f"{_NOUN[op]} of {kind}"
    if op == "/":
        return "division"
    if op == "*":
        return "multiplication by one digit" if min(abs(left), abs(right)) < 10 else "long multiplication"
    if left < 0:
        return "from a negative number"
    if _calculate(left, op, right) < 0:
        return "subtraction below zero"
    plus = (op == "+") == (right >= 0)
    first, second = int(left), int(abs(right))
    if plus:
        return "addition with carry" if _carries(first, second) else "addition without carry"
    return "subtraction with borrow" if _borrows(first, second) else "subtraction without borrow"


_NOUN = {"+": "addition", "-": "subtraction", "*": "multiplication", "/": "division"}


def _number_kind(*numbers: Fraction) -> str:
    """Say `fractions` or `decimals` if one of the numbers is, else nothing."""
    if all(number.denominator == 1 for number in numbers):
        return ""
    return "decimals" if all(_terminates(number) for number in numbers) else "fractions"


def _terminates(number: Fraction) -> bool:
    """Whether the number can be written as a decimal: its denominator has no prime factor but 2 and 5."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _carries(first: int, second: int) -> bool:
    """Whether any column of digits adds up to ten; the first carry always arises without one."""
    while first and second:
        if first % 10 + second % 10 > 9:
            return True
        first, second = first // 10, second // 10
    return False


def _borrows(first: int, second: int) -> bool:
    """Whether any digit of the smaller number exceeds the one above it."""
    while second:
        if first % 10 < second % 10:
            return True
        first, second = first // 10, second // 10
    return False


def as_text(number: Fraction) -> str:
    """Write a number as a person would: `25`, `-3`, `2.5`, and `1/3` where no decimal is exact."""
    if number.denominator == 1:
        return str(number.numerator)
    if not _terminates(number):
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while number.denominator != 1:
        number, places = number * 10, places + 1
    digits = str(abs(number.numerator)).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"
