"""Correct a wrong answer in its own words: each wrong step, all that follows from it, and the conclusion."""

from __future__ import annotations

import re

from ...answers import as_number, contains, same
from ...schema import WrongStep
from .answers import final_answer
from .finder import find_wrong_step

ROUNDS = 24
"""Steps that are corrected at most."""
_CORRECTABLE = ("equation", "copied", "answer")


def correct(question: str, text: str, wrong: str | None, right: str) -> str | None:
    """Return a text with its wrong steps put right, so that it ends on the right answer.

    A wrong number is replaced where it stands and wherever it is used later, and what is computed from it is computed
    anew. Where that leads elsewhere, the wrong conclusion is replaced wherever it is named, if what stands before it
    names it (else that speaks for something that nobody has corrected) and the question does not (else what is given
    would be replaced too). To put the right answer at the end alone is what makes a rationale contradict its conclusion
    (EtCon's reviewers; papers that edit do it), so a text in which that would be left is given up.

    Args:
        question: What was asked.
        text: The wrong answer.
        wrong: Its conclusion, None if it has none.
        right: The right answer.

    Returns:
        None if the text cannot be corrected without contradiction.
    """
    by_steps = _by_steps(question, text)
    found = [by_steps]
    if wrong and _concludes(question, by_steps, wrong):
        found.append(_replaced(by_steps, wrong, right))
    return next((one for one in found if one != text and is_sound(question, one, wrong, right)), None)


def is_sound(question: str, text: str, wrong: str | None, right: str) -> bool:
    """Whether a text concludes on the right answer, no step of it is wrong, and it says the wrong one nowhere else.

    A number may be a step on the way and the wrong conclusion too, so where there are numbers the steps decide.
    """
    answer = final_answer(text)
    if answer is None or not same(answer.text, right) or find_wrong_step(question, text) is not None:
        return False
    if wrong is None or same(wrong, right) or as_number(wrong) is not None:
        return True
    return not contains(text, wrong)


def _concludes(question: str, text: str, wrong: str) -> bool:
    """Whether a text ends on the wrong conclusion, what stands before names it, and the question does not."""
    answer = final_answer(text)
    if answer is None or not same(answer.text, wrong) or contains(question, wrong):
        return False
    before = text[: answer.start]
    return not any(map(str.isalnum, before)) or _whole(wrong).search(before) is not None


def _by_steps(question: str, text: str) -> str:
    for _ in range(ROUNDS):
        step = find_wrong_step(question, text)
        mended = None if step is None else _mended(text, step)
        if mended is None or mended == text:
            return text
        text = mended
    return text


def _mended(text: str, step: WrongStep) -> str | None:
    """Return the text with a wrong number replaced in its step and in all that comes after."""
    if step.kind not in _CORRECTABLE or not step.found:
        return None
    said = text[step.start : step.end]
    at = said.rfind(step.found)
    if at < 0:
        return None
    said = said[:at] + step.expected + said[at + len(step.found) :]
    after = text[step.end :]
    return text[: step.start] + said + (after if step.kind == "answer" else _replaced(after, step.found, step.expected))


def _replaced(text: str, old: str, new: str) -> str:
    return _whole(old).sub(lambda _: new, text)


def _whole(what: str) -> re.Pattern[str]:
    """Match a word or number that is not part of a longer one; `5` is no part of `15`, `5.2` or `1,005`."""
    return re.compile(rf"(?<![\w.,])(?<![\w][-']){re.escape(what.strip())}(?![\w])(?![.,]\d)", re.IGNORECASE)
