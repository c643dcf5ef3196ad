"""Find the first wrong step of a worked solution, without a model.

Every equation is checked with exact arithmetic; then the final answer against the last result, the numbers used
against the question, and the form. What can be read in two ways raises no alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from ...arithmetic import as_text
from ...schema import WrongStep
from .equations import Equation, read_equations, same
from .expressions import Expression, read_expression, read_expressions

MAX_TEXT: Final = 20_000
"""Characters of a text that are read; what follows counts as cut off."""
REPEATS: Final = 4
"""A sentence said this often is a repetition."""

_LONG_SENTENCE: Final = 20
"""Shorter sentences (`Carry the 1.`) count as repeated only if they follow one another."""
_WORD_REPEATS: Final = 12
_MAX_KNOWN: Final = 60
_SMALL: Final = 10
"""Numbers up to this are made in passing (7 + 9: 7 + 3 = 10), so they are never called copied wrongly."""
_SHOWN: Final = 80
_ANSWER = re.compile(r"\banswer(?: is)?[*_ ]{0,4}[:=]|\banswer is\b|####|\\boxed\{", re.IGNORECASE)
_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_SENTENCE = re.compile(r"[^\n.]+(?:\.(?=[0-9])[^\n.]*)*")


class FinalAnswer(NamedTuple):
    """The final answer of a text, as it stands there."""

    start: int
    end: int
    text: str


def find_wrong_step(question: str, text: str, truncated: bool = False) -> WrongStep | None:
    """Find the first step of a solution that does not hold.

    Kinds, by position in the text: `equation` (does not hold), `copied` (a number that neither the question nor an
    earlier step has; only where the question is itself an expression), `answer` (differs from the last result).
    Then, about the whole: `repetition`, `truncated`, `format` (no final answer).

    Args:
        question: The problem's question.
        text: Any text; the first `MAX_TEXT` characters are read.
        truncated: Whether the text was cut off at the length limit.

    Returns:
        The first wrong step, with character offsets into `text`; None if none is found. Never raises.
    """
    truncated = truncated or len(text) > MAX_TEXT
    text = text[:MAX_TEXT]
    equations = read_equations(text)
    if truncated and equations and equations[-1].end >= len(text.rstrip()):
        equations.pop()  # its last number may be half written
    answer = final_answer(text)
    found = [_wrong_equation(equations, text), _copied(question[:MAX_TEXT], equations, text)]
    if answer is not None and not (truncated and answer.end >= len(text)):
        found.append(_wrong_answer(question[:MAX_TEXT], equations, answer, text))
    steps = [step for step in found if step is not None]
    if steps:
        return min(steps, key=lambda step: step.start)
    return _repetition(text) or (_missing(text, truncated) if answer is None else None)


def final_answer(text: str) -> FinalAnswer | None:
    r"""Find what follows the last `Answer:`, `answer is`, `####` or `\boxed{`; or a lone short line."""
    marks = list(_ANSWER.finditer(text))
    if marks:
        return _declared(text, marks[-1])
    bare = text.strip()
    short = 0 < len(bare) <= 40 and "\n" not in bare and "=" not in bare
    return FinalAnswer(text.index(bare), text.index(bare) + len(bare), bare) if short else None


def declared_answers(text: str) -> list[FinalAnswer]:
    """Return everything that a text (its first `MAX_TEXT` characters) calls its answer, in order."""
    text = text[:MAX_TEXT]
    marks = list(_ANSWER.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = [_declared(text[:end], mark) for mark, end in zip(marks, ends, strict=True)]
    return [declared for declared in found if declared is not None]


def _declared(text: str, mark: re.Match[str]) -> FinalAnswer | None:
    end = text.find("}" if mark.group() == "\\boxed{" else "\n", mark.end())
    end = len(text) if end < 0 else end
    said = text[mark.end() : end]
    if not said.strip(" *_.:"):
        return None
    return FinalAnswer(mark.start(), end, said.strip(" *_:{}"))


def _wrong_equation(equations: list[Equation], text: str) -> WrongStep | None:
    for equation in equations:
        if equation.verdict == "wrong" and equation.right is not None:
            return _as_step(equation, equation.left, equation.right, text)
    return None


def _as_step(equation: Equation, left: Expression, right: Expression, text: str) -> WrongStep:
    if right.operators and not left.operators:
        left, right = right, left
    skills = {step.skill for step in (equation.steps() if left is equation.left else ())}
    said = text[right.start : right.end] if right.operators else as_text(right.values[0])
    return WrongStep(
        kind="equation",
        start=equation.start,
        end=equation.end,
        expected=as_text(left.values[0])[:_SHOWN],
        found=said[:_SHOWN],
        skill=skills.pop() if len(skills) == 1 else None,
    )


def _wrong_answer(question: str, equations: list[Equation], answer: FinalAnswer, text: str) -> WrongStep | None:
    """Compare the final answer with the last result before it."""
    before = [e for e in equations if e.end <= answer.start]
    if not before or len(before) != len(equations) or before[-1].verdict != "holds":
        return None
    last = before[-1].right
    said = read_expression(answer.text)
    if last is None or said is None or said.operators or said.doubtful or not said.numbers:
        return None
    if any(agree(shown, result) for shown in said.values for result in last.values):
        return None
    if _checks_back(question, before[-1], said) or _in_between(text[before[-1].end : answer.start], said):
        return None
    return WrongStep(
        kind="answer",
        start=answer.start,
        end=answer.end,
        expected=as_text(last.values[0])[:_SHOWN],
        found=as_text(said.values[-1])[:_SHOWN],
    )


def agree(shown: Fraction, result: Fraction) -> bool:
    """Whether a number shown is a result, the same in percent, or the result rounded to a whole number or to cents."""
    if same(result, shown):
        return True
    if result.denominator == 1:
        return shown.denominator != 1 and shown * 100 == result
    whole = shown.denominator == 1 and abs(result - shown) < 1
    return whole or abs(result - shown) * 100 < 1 or shown == result * 100


def _checks_back(question: str, last: Equation, said: Expression) -> bool:
    """Whether the last equation uses the answer to arrive at a number of the question again, as a check does."""
    given = _numbers(question)
    uses = any(value in last.left.numbers for value in said.values)
    return uses and last.right is not None and any(value in given for value in last.right.values)


def _in_between(text: str, said: Expression) -> bool:
    """Whether the answer comes from words between the last equation and the answer line."""
    return bool(_numbers(text) & {abs(value) for value in said.values}) or any(sign in text for sign in "=≈")


def _numbers(text: str) -> set[Fraction]:
    found = (match.group().replace(",", "") for match in _NUMBER.finditer(text))
    return {Fraction(number) for number in found if len(number) <= 100}


def _copied(question: str, equations: list[Equation], text: str) -> WrongStep | None:
    """Find an equation with a number that comes from nowhere.

    Only where the question is an expression, such as `51 - 26 =`: word problems bring numbers that they do not
    name (12 months). Parts (20 of 26), rounded numbers, and what completes a number already used are in order.
    """
    asked = _asked(question)
    if asked is None:
        return None
    known, used = _numbers(question), set[Fraction]()
    rewritten = -1
    for equation in equations:
        if equation.verdict != "holds" or len(known) > _MAX_KNOWN or equation.right is None:
            return None
        left, right = equation.left, equation.right
        operands = [abs(number) for number in left.numbers]
        strange = [n for n in operands if n > _SMALL and not _derived(n, known, used)]
        if strange and left.operators and left.start != rewritten:
            found = text[left.start : left.end][:_SHOWN]
            return WrongStep(kind="copied", start=left.start, end=left.end, expected=asked, found=found)
        rewritten = right.start  # the next link of a chain: equal to what came before, so its numbers are in order
        used.update(operands)
        known.update(abs(number) for number in (*right.values, *right.numbers))
    return None


def _asked(question: str) -> str | None:
    """Return the expression that the question asks for; None unless all its numbers are in one."""
    given = _numbers(question)
    for expression in read_expressions(question):
        if len(expression.numbers) > 1 and given == {abs(number) for number in expression.numbers}:
            return expression.text[:_SHOWN]
    return None


def _derived(number: Fraction, known: set[Fraction], used: set[Fraction]) -> bool:
    """Whether a number is known, a digit's worth or rounded form of a known one, or completes one."""
    if number in known or number.denominator != 1:
        return True
    if any(number + u in known or abs(number - u) in known for u in used):
        return True
    return any(int(number) in _parts(int(k)) for k in known if k.denominator == 1 and k < 10**12)


def _parts(whole: int) -> Iterator[int]:
    """Yield a number's digits with and without their place, its beginnings, its rests and its rounded forms."""
    place = 1
    while place <= whole:
        digit, rest, lead = whole // place % 10, whole % (place * 10), whole // place
        yield from (digit, digit * place, rest, lead, lead * place, (lead + (place > 1)) * place)
        place *= 10


def _repetition(text: str) -> WrongStep | None:
    """Find a sentence or word that the text says over and over."""
    seen: dict[str, list[int]] = {}
    previous, streak = "", 0
    for match in _SENTENCE.finditer(text):
        said = " ".join(match.group().split())
        if not any(c.isalnum() for c in said):
            continue
        streak = streak + 1 if said == previous else 1
        previous = said
        starts = seen.setdefault(said, [])
        starts.append(match.start())
        if streak >= REPEATS or (len(starts) >= REPEATS and len(said) >= _LONG_SENTENCE):
            return _repeated(said, starts[1], match.end())
    return _repeated_word(text)


def _repeated_word(text: str) -> WrongStep | None:
    previous, streak, start = "", 0, 0
    for match in re.finditer(r"\S+", text):
        streak = streak + 1 if match.group() == previous else 1
        start = match.start() if streak == 1 else start
        previous = match.group()
        if streak >= _WORD_REPEATS and any(c.isalnum() for c in previous):
            return _repeated(previous, start, match.end())
    return None


def _repeated(said: str, start: int, end: int) -> WrongStep:
    return WrongStep(kind="repetition", start=start, end=end, expected="said once", found=said[:_SHOWN])


def _missing(text: str, truncated: bool) -> WrongStep:
    """Say that there is no final answer, because the text was cut off or for no such reason."""
    kind, found = ("truncated", "cut off") if truncated else ("format", "no final answer")
    return WrongStep(kind=kind, start=len(text), end=len(text), expected="a final answer", found=found)
