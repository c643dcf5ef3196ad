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

_LONE = re.compile(
    r"[*_$\\(\[]*(?:[-+−]?[$€£¥₹]?\s?[0-9.][0-9.,:/]*\s?%?(?:\s?[^\W\d_]+){0,2}(?:\s[0-9]+\s?[^\W\d_]+)?"
    r"|\(?[A-Za-z][.):]\s[^\n=]*|[^\W\d_]+(?:['’-][^\W\d_]+)*)[*_$\\)\].!]*"
)
"""What is an answer without saying so: `25`, `3.5 km`, `1 hour 30 minutes`, `B`, `(B) New York`, `Paris`."""


class FinalAnswer(NamedTuple):
    """The final answer of a text, as it stands there."""

    start: int
    end: int
    text: str


def final_answer(text: str) -> FinalAnswer | None:
    r"""Find what follows the last `Answer:`, `answer is`, `####` or `\boxed{`, or a lone number, word or choice."""
    marks = list(_ANSWER.finditer(text))
    if marks:
        return _declared(text, marks[-1])
    bare = text.strip()
    lone = len(bare) <= 40 and _LONE.fullmatch(bare) is not None
    return FinalAnswer(text.index(bare), text.index(bare) + len(bare), bare) if lone else None


def is_complete(answer: FinalAnswer) -> bool:
    """Whether something follows the answer on its line: then it is complete although the text is cut off."""
    return re.search(r"[.;!?]\s+\S", answer.text) is not None


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
    percent = any("/ 100)" in side.text or "%" in answer.text for side in (last, before[-1].left))
    quotient = "/" in before[-1].left.operators
    if any(agree(shown, result, percent, quotient) for shown in said.values for result in last.values):
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


def agree(shown: Fraction, result: Fraction, percent: bool = False, quotient: bool = False) -> bool:
    """Whether a number shown is a result, exact or rounded to a whole number or to cents.

    Args:
        shown: The number.
        result: The result.
        percent: Whether one of them stands as a percentage, so that a factor of 100 is no difference.
        quotient: Whether the result is of a division, which may be cut off or rounded up: full boxes, buses needed.
    """
    if same(result, shown) or (percent and (shown == result * 100 or shown * 100 == result)):
        return True
    if result.denominator == 1:
        return False
    off = abs(result - shown)
    return off * 100 < 1 or (shown.denominator == 1 and (off * 2 <= 1 or (quotient and off < 1)))


def _checks_back(question: str, last: Equation, said: Expression) -> bool:
    """Whether the last equation uses the answer to arrive at a number of the question again, as a check does."""
    given = numbers_in(question)
    uses = any(value in last.left.numbers for value in said.values)
    return uses and last.right is not None and any(value in given for value in last.right.values)


def _in_between(text: str, said: Expression) -> bool:
    """Whether the answer comes from words between the last equation and the answer line."""
    return bool(numbers_in(text) & {abs(value) for value in said.values}) or any(sign in text for sign in "=≈")
