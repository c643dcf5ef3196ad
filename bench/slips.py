"""Plant exactly one slip in a worked solution, and say what it is and where.

A slip that leaves the text right is not planted: a wrong result differs from the right one however the line is read,
a number copied wrongly is not in the question and changes the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mistakes import FRACTIONS
from worked import Line, Operation, Problem, carry_out, finer
from written import STYLES, Text, chainable, write
from wrong_steps import CHAIN, PRODUCTS, Step, apply, point_misplaced, right_aligned

from tutelage.agents.steps.tokens import numbers_in
from tutelage.arithmetic import as_text


@dataclass
class Slip:
    """A text with one slip."""

    name: str
    kind: str
    """What the finder should call it."""
    start: int
    end: int
    question: str
    text: str
    truncated: bool = False
    values: tuple[Fraction, Fraction] | None = None
    """What should stand there and what does, where that is a number."""


def _quotient_off(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return a / b + 1 if op == "/" else None


def _hundred_too_few(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return apply(a, op, b) - 100 if abs(apply(a, op, b)) > 200 else None


def _point(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    """Misplace the point where there is one."""
    return point_misplaced(a, op, b) if a.denominator != 1 or b.denominator != 1 else None


def _aligned(a: Fraction, op: str, b: Fraction) -> Fraction | None:
    return right_aligned(a, op, b) if op in "+-" else None


def _in_digits(rule: Step) -> Step:
    """Keep a mistake with digits to whole numbers without signs."""

    def wrong(a: Fraction, op: str, b: Fraction) -> Fraction | None:
        return rule(a, op, b) if a.denominator == b.denominator == 1 and a >= 0 and b >= 0 else None

    return wrong


_SIGNED = ("subtraction done as addition", "addition done as subtraction", "sign lost")
_WHOLE = CHAIN | PRODUCTS

RESULTS: dict[str, Step] = {
    **{name: rule if name in _SIGNED else _in_digits(rule) for name, rule in _WHOLE.items()},
    "quotient one too many": _quotient_off,
    "hundred too few": _hundred_too_few,
    "decimal point misplaced": _point,
    "last digits under one another": _aligned,
}
"""Wrong ways to do one operation."""


def swapped(number: str, rng: random.Random) -> str:
    """Exchange two neighbouring digits."""
    at = rng.randrange(len(number) - 1)
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def misread(number: str, rng: random.Random) -> str:
    """Take one digit for another."""
    at = rng.randrange(len(number))
    return number[:at] + rng.choice("123456789") + number[at + 1 :]


def shortened(number: str, rng: random.Random) -> str:
    """Leave a digit out."""
    at = rng.randrange(len(number))
    return number[:at] + number[at + 1 :]


COPIES: dict[str, Callable[[str, random.Random], str]] = {
    "digits of a copied number exchanged": swapped,
    "digit of a copied number misread": misread,
    "digit of a copied number left out": shortened,
}
"""Wrong ways to copy a number."""


def write_right(problem: Problem, rng: random.Random) -> Text:
    """Write a right solution in a drawn style and grain."""
    operations, style = _drawn(problem, rng)
    return write(problem, carry_out(operations), style, rng)


def _drawn(problem: Problem, rng: random.Random, chain: bool | None = None) -> tuple[list[Operation], str]:
    """Draw a style and a grain; `chain` says whether it must be or not be a chain."""
    operations = problem.operations
    chains = chainable(operations) and chain is not False
    styles = [s for s in STYLES if (chains if s.startswith("chain") else not chain)]
    style = rng.choice(styles)
    fine = not style.startswith("chain") and problem.fraction is None and rng.random() < 0.3
    return (finer(operations) if fine else operations), style


def plant(name: str, problem: Problem, rng: random.Random) -> Slip | None:
    """Plant the slip of a name in a solution of a problem; None if there is no occasion for it."""
    if name in RESULTS:
        return _wrong_result(name, problem, rng, chain=False)
    if name in COPIES:
        return _wrong_copy(name, problem, rng)
    return OTHERS[name](problem, rng)


def _wrong_result(
    name: str, problem: Problem, rng: random.Random, chain: bool, rule: Step | None = None
) -> Slip | None:
    operations, style = _drawn(problem, rng, chain)
    right = carry_out(operations)
    places = rng.sample(range(len(right)), len(right))
    for at in places[: 1 if chain else None]:
        line = right[at]
        wrong = (rule or RESULTS[name])(line.left, line.op, line.right)
        if wrong is None or wrong == line.result or (problem.fraction and wrong <= 0):
            continue
        text = write(problem, carry_out(operations, {at: wrong}), style, rng)
        values = None if chain else (line.result, wrong)  # of a chain the whole rest of the line is what differs
        return Slip(name, "equation", *text.parts[at]["result"], problem.question, text.text, values=values)
    return None


def _chain_broken(problem: Problem, rng: random.Random) -> Slip | None:
    if not chainable(problem.operations):
        return None
    by = rng.choice([-20, -10, -2, -1, 1, 2, 3, 10, 30])
    return _wrong_result("chain broken", problem, rng, True, lambda a, op, b: apply(a, op, b) + by)


def _wrong_copy(name: str, problem: Problem, rng: random.Random) -> Slip | None:
    """Copy a number of the question wrongly, and go on rightly."""
    operations, style = _drawn(problem, rng, chain=False)
    if problem.fraction:
        return None
    known = numbers_in(problem.question) | {abs(line.result) for line in carry_out(operations)}
    for at, side in _copied_operands(operations, problem, rng):
        number = as_text(abs(getattr(operations[at], side).value))
        wrong = COPIES[name](number, rng)
        if wrong[0] in "0." or wrong[-1] == "." or ".." in wrong or Fraction(wrong) in known or Fraction(wrong) < 10:
            continue
        changed = _with_operand(operations, at, side, Fraction(wrong))
        lines = carry_out(changed)
        if lines[-1].result != carry_out(operations)[-1].result:
            text = write(problem, lines, style, rng)
            values = Fraction(number), Fraction(wrong)
            return Slip(name, "copied", *text.parts[at][side], problem.question, text.text, values=values)
    return None


def _copied_operands(operations: list[Operation], problem: Problem, rng: random.Random) -> Iterator[tuple[int, str]]:
    """Yield where a number of two digits or more stands as the question has it, in a drawn order."""
    given = numbers_in(problem.question)
    places = [(at, side) for at in range(len(operations)) for side in ("left", "right")]
    for at, side in rng.sample(places, len(places)):
        operand = getattr(operations[at], side)
        if operand.step is None and abs(operand.value) in given and len(as_text(abs(operand.value))) > 1:
            yield at, side


def _with_operand(operations: list[Operation], at: int, side: str, value: Fraction) -> list[Operation]:
    operand = getattr(operations[at], side)
    changed = operations[at]._replace(**{side: operand._replace(value=-value if operand.value < 0 else value)})
    return [*operations[:at], changed, *operations[at + 1 :]]


def _other_answer(problem: Problem, rng: random.Random) -> Slip | None:
    """Say another final answer than the last step: an earlier result, digits exchanged, or a near one."""
    if problem.answer:
        return None
    operations, style = _drawn(problem, rng)
    lines = carry_out(operations)
    last = lines[-1].result
    drawn = [line.result for line in lines[:-1]] + [last + 1, last - 1, last + 10, -last]
    drawn += [Fraction(swapped(as_text(last), rng))] if last.denominator == 1 and last > 9 else []
    other = rng.choice(drawn)
    if abs(other - last) < 1 or other == last * 100 or other * 100 == last:
        return None
    text = write(problem, lines, style, rng, as_text(other))
    where = (*text.answer, problem.question, text.text)
    return Slip("answer differs from the last step", "answer", *where, values=(last, other))


def _cut_off(problem: Problem, rng: random.Random) -> Slip | None:
    text = write_right(problem, rng)
    cut = rng.randrange(text.steps_end * 2 // 5, text.steps_end)
    return Slip("cut off", "truncated", cut, cut, problem.question, text.text[:cut], truncated=True)


def _no_answer(problem: Problem, rng: random.Random) -> Slip | None:
    text = write_right(problem, rng)
    said = text.text[: text.steps_end].rstrip()
    return Slip("no final answer", "format", len(said), len(said), problem.question, said)


def _said_again(problem: Problem, rng: random.Random) -> Slip | None:
    """Say a line over and over; then the text is cut off, or ends with its answer after all."""
    text = write_right(problem, rng)
    lines = [line for line in text.text[: text.steps_end].splitlines(keepends=True) if "=" in line]
    if not lines:
        return None
    line = rng.choice(lines).rstrip() + "\n"
    before = text.text[: text.text.index(line.rstrip())]
    times = rng.randrange(5, 12)
    cut = rng.random() < 0.7
    start = len(before) + len(line)
    said = before + line * times + ("" if cut else text.text[text.answer[0] :])
    return Slip("said over and over", "repetition", start, len(before) + len(line) * times, problem.question, said, cut)


def _half_simplified(problem: Problem, rng: random.Random) -> Slip | None:
    """Reduce a fraction wrongly."""
    if problem.fraction is None:
        return None
    n, d, by = problem.fraction
    names = [name for name in sorted(FRACTIONS) if name != "not fully reduced"]  # that one is right, as far as it goes
    wrong = FRACTIONS[rng.choice(names)](n, d, by)
    if wrong is None or not all(wrong) or wrong[0] * d == wrong[1] * n:
        return None
    lines: Sequence[Line] = carry_out(problem.operations)
    text = write(problem, lines, rng.choice(STYLES[:7]), rng, f"{wrong[0]}/{wrong[1]}")
    return Slip("fraction simplified wrongly", "equation", *text.parts[-1]["result"], problem.question, text.text)


OTHERS: dict[str, Callable[[Problem, random.Random], Slip | None]] = {
    "chain broken": _chain_broken,
    "answer differs from the last step": _other_answer,
    "fraction simplified wrongly": _half_simplified,
    "cut off": _cut_off,
    "no final answer": _no_answer,
    "said over and over": _said_again,
}
