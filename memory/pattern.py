"""How a wrong result differs from the right one, in words that are the same for other numbers.

Relations in the manner of BUGGY (Brown and Burton 1978, "Diagnostic models for procedural bugs in basic mathematical
skills", Cognitive Science 2): what the wrong digits, the wrong list or the wrong operation would come from. They say
what is seen, not what the student thought; several may hold at once, and for many errors none does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Final

from ..arithmetic import Step, as_text, evaluate, work
from ..schema import WrongStep

CAP: Final = 400
"""Characters of a result, and of a step, that are looked at."""
_UNITS: Final = (7, 12, 24, 30, 60, 365, 1000, 3600)
_OPERATIONS: Final = {"+": "addition", "-": "subtraction", "*": "multiplication", "/": "division"}
_EXPRESSION = re.compile(r"[-(\d][-+*/×÷·−().,\d ]*[\d)]")
_FRACTION = re.compile(r"(-?\d{1,18}) ?/ ?(\d{1,18})")


def relations(question: str, gold: str, given: str | None, wrong_step: WrongStep | None, text: str) -> tuple[str, ...]:
    """Name how an error's result differs from what it should have been.

    Args:
        question: The problem's question.
        gold: The right final answer.
        given: The answer found in the attempt, if any.
        wrong_step: The first wrong step, if known; otherwise the final answer is compared.
        text: The attempt, which the step's offsets point into.

    Returns:
        Short phrases such as `no carry` or `off by ten`, each once. Never raises.
    """
    if wrong_step is not None and wrong_step.kind in ("equation", "answer"):
        step = text[wrong_step.start : wrong_step.end].split("=")[0]
        found, expected = wrong_step.found, wrong_step.expected
    elif wrong_step is not None and wrong_step.kind == "copied":
        step, (found, expected) = "", _miscopied(wrong_step.found, wrong_step.expected)
    elif given is not None:
        step, found, expected = _asked(question), given, gold
    else:
        return ()
    return tuple(dict.fromkeys(_compare(step[:CAP], found[:CAP].strip(), expected[:CAP].strip())))


def _compare(step: str, found: str, expected: str) -> Iterator[str]:
    wrong, right = evaluate(found), evaluate(expected)
    if wrong is None or right is None:
        yield from _of_lists(found, expected)
        return
    yield from _of_fractions(found, expected)
    if wrong == right:
        yield "right value in another form"
        return
    yield from _of_values(wrong, right)
    yield from _of_digits(as_text(abs(wrong)), as_text(abs(right)))
    yield from _of_step(work(_cleaned(step)), step, wrong)


def _of_values(wrong: Fraction, right: Fraction) -> Iterator[str]:
    if wrong == -right:
        yield "sign flipped"
        return
    yield "too small" if wrong < right else "too large"
    gap = abs(wrong - right)
    if _is_power_of_ten(gap):
        yield f"off by {as_text(gap)}"
    elif gap % 10 == 0:
        yield "last digit right"
    ratio = abs(wrong / right) if wrong and right else Fraction(0)
    if ratio > 0 and _is_power_of_ten(ratio):
        yield "decimal place moved"
    yield from (f"off by the factor {unit}" for unit in (2, *_UNITS) if ratio in (unit, Fraction(1, unit)))


def _is_power_of_ten(value: Fraction) -> bool:
    digits = (str(value.numerator), str(value.denominator))
    return all(one.strip("0") == "1" for one in digits)


def _of_digits(wrong: str, right: str) -> Iterator[str]:
    a, b = wrong.replace(".", ""), right.replace(".", "")
    if a != b and sorted(a) == sorted(b):
        yield "digits exchanged"
    if len(a) == len(b):
        differing = [len(a) - at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(differing) == 1:
            yield f"only digit {differing[0]} from the right wrong"
    elif _without_one(b, a):
        yield "digit left out"
    elif _without_one(a, b):
        yield "digit too many"


def _without_one(longer: str, shorter: str) -> bool:
    """Whether `shorter` is `longer` without one character."""
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )


def _of_fractions(found: str, expected: str) -> Iterator[str]:
    one, other = _FRACTION.fullmatch(found), _FRACTION.fullmatch(expected)
    if one is None or other is None:
        return
    (a, b), (c, d) = (map(int, match.groups()) for match in (one, other))
    if (a, b) == (d, c):
        yield "fraction upside down"
    elif b == d:
        yield "same denominator, another numerator"
    elif a == c:
        yield "same numerator, another denominator"
    elif a * d == b * c:
        yield "fraction not in lowest terms"


def _of_step(steps: tuple[Step, ...], step: str, wrong: Fraction) -> Iterator[str]:
    if len(steps) == 1:
        yield from _of_operation(steps[0], wrong)
    elif len(steps) > 1:
        yield from _of_expression(_cleaned(step), wrong)


def _of_operation(step: Step, wrong: Fraction) -> Iterator[str]:
    """Name what one operation was taken for."""
    a, op, b = step.left, step.op, step.right
    for other, name in _OPERATIONS.items():
        if other != op and evaluate(f"({a}) {other} ({b})") == wrong:
            yield f"{_OPERATIONS[op]} done as {name}"
    if wrong in (a, b):
        yield "an operand as the result"
    if op == "*" and wrong in (a * (b - 1), a * (b + 1), b * (a - 1), b * (a + 1)):
        yield "one time too few or too many"
    if a.denominator == b.denominator == 1:
        yield from _of_columns(abs(int(a)), op, abs(int(b)), abs(wrong))


def _of_columns(a: int, op: str, b: int, wrong: Fraction) -> Iterator[str]:
    columns = list(_columns(a, b))
    if op == "+" and wrong == sum((x + y) % 10 * 10**at for at, (x, y) in enumerate(columns)) != a + b:
        yield "no carry"
    if op == "-" and wrong == sum(abs(x - y) * 10**at for at, (x, y) in enumerate(columns)) != abs(a - b):
        yield "smaller digit from larger"
    if op == "*" and wrong in (a * _digit_sum(b), b * _digit_sum(a)) and wrong != a * b:
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


def _of_expression(step: str, wrong: Fraction) -> Iterator[str]:
    """Name what an expression of several operations was taken for."""
    parts = re.findall(r"\d+(?:\.\d+)?|[-+*/()]", step)[:60]
    signs = [at for at, part in enumerate(parts) if part in _OPERATIONS and at and parts[at - 1] not in "+-*/("]
    for at in signs:
        for other, name in _OPERATIONS.items():
            if other != parts[at] and evaluate(" ".join((*parts[:at], other, *parts[at + 1 :]))) == wrong:
                yield f"one {_OPERATIONS[parts[at]]} done as {name}"
        if evaluate(" ".join((*parts[:at], *parts[at + 2 :]))) == wrong:
            yield "a term left out"
    flat = [part for part in parts if part not in "()"]
    if "(" in parts and evaluate(" ".join(flat)) == wrong:
        yield "parentheses ignored"
    if _left_to_right(flat) == wrong:
        yield "left to right"


def _left_to_right(parts: list[str]) -> Fraction | None:
    value = evaluate(parts[0]) if parts else None
    for op, number in zip(parts[1::2], parts[2::2], strict=False):
        value = None if value is None else evaluate(f"({value}) {op} {number}")
    return value


def _of_lists(found: str, expected: str) -> Iterator[str]:
    """Compare what is no number: lists by their items, words by their letters."""
    a, b = (re.findall(r"[^\s,;\[\]()'\"]+", one) for one in (found, expected))
    thing = "item"
    if len(a) == len(b) == 1:
        a, b, thing = list(a[0]), list(b[0]), "letter"
    if not a or not b or a == b:
        return
    if "".join(a).lower() == "".join(b).lower():
        yield "upper and lower case"
    elif Counter(a) == Counter(b):
        yield from _of_order(a, b, thing)
    elif len(a) != len(b):
        yield f"{thing}s left out" if len(a) < len(b) else f"{thing}s too many"
    elif sum(x != y for x, y in zip(a, b, strict=True)) == 1:
        yield f"one {thing} wrong"


def _of_order(a: list[str], b: list[str], thing: str) -> Iterator[str]:
    yield f"{thing}s in another order"
    if a == b[::-1]:
        yield "order reversed"
    elif a == sorted(a):
        yield f"{thing}s in the order of the alphabet"
    differing = [at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differing) == 2:
        neighbours = any(pair == tuple(differing) for pair in pairwise(range(len(a))))
        yield f"two {'neighbouring ' if neighbours else ''}{thing}s exchanged"


def _miscopied(found: str, expected: str) -> tuple[str, str]:
    """Return the first number in which two expressions differ, as each has it."""
    a, b = (re.findall(r"\d+(?:\.\d+)?", one) for one in (found, expected))
    return next(((x, y) for x, y in zip(a, b, strict=False) if x != y), (found, expected))


def _asked(question: str) -> str:
    """Return the longest expression in a question; empty if there is none."""
    found = [one for one in _EXPRESSION.findall(question[: 5 * CAP]) if any(op in one for op in "+-*/×÷−")]
    return max(found, key=len, default="")


def _cleaned(step: str) -> str:
    """Drop units and words from a step, and spell its signs in one way."""
    plain = step.replace("×", "*").replace("·", "*").replace("÷", "/").replace("−", "-")
    return re.sub(r"[^-+*/().\d ]", "", plain).strip()
