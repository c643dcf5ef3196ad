"""The final answer of a text, and whether it is what the last step says."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from ...arithmetic import as_text
from ...schema import WrongStep
from .equations import Equation, same
from .expressions import Expression, read_expression
from .tokens import MAX_TEXT, SHOWN, numbers_in

_ANSWER = re.compile(r"\banswer(?: is)?[*_ ]{0,4}[:=]|\banswer is\b|####|\\boxed\{", re.IGNORECASE)


class FinalAnswer(NamedTuple):
    """The final answer of a text, as it stands there."""

    start: int
    end: int
    text: str


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


def wrong_answer(question: str, equations: list[Equation], answer: FinalAnswer, text: str) -> WrongStep | None:
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
        expected=as_text(last.values[0])[:SHOWN],
        found=as_text(said.values[-1])[:SHOWN],
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
    given = numbers_in(question)
    uses = any(value in last.left.numbers for value in said.values)
    return uses and last.right is not None and any(value in given for value in last.right.values)


def _in_between(text: str, said: Expression) -> bool:
    """Whether the answer comes from words between the last equation and the answer line."""
    return bool(numbers_in(text) & {abs(value) for value in said.values}) or any(sign in text for sign in "=≈")
