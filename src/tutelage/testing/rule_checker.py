"""Find the first wrong step of a solution to a problem of `rules`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ..answers import extract_answer, same
from ..schema import Problem, WrongStep
from .rule_book import RULES, Book, apply, check_book

_QUESTION: Final = re.compile(r"Start with ([0-9]{1,2}): ([a-z]{1,20}(?:, [a-z]{1,20}){0,20})\.")
_STEP: Final = re.compile(r"(?<![\w.])([0-9]{1,9}) ([a-z]{1,20}) ([0-9]{1,9})(?!\w)")
_ANSWER: Final = re.compile(r"answer:", re.IGNORECASE)


class _Step(NamedTuple):
    """One step as it is written."""

    left: str
    rule: str
    right: str
    start: int
    end: int


class RuleChecker:
    """Holds each step of a text against the rule that is due; a `StepChecker`.

    Kinds of wrong step:
        `rule`: the rule that is due gives something else; its skill is the rule.
        `order`: another rule than the one that is due is applied, or none although steps are shown; the skill is the
            rule that is due.
        `copied`: a step does not begin with what was reached.
        `answer`: the final answer is not what the last step gives.
        `truncated`, `format`: there is no final answer, because the text was cut off or for no such reason.
    """

    def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
        """Return the first wrong step of a text.

        Args:
            problem: From `rules.make_problem`; its question is read.
            text: What a model said; anything.
            truncated: Whether it was cut off.

        Returns:
            None if nothing is wrong, if the question is of another kind, or if a final answer comes without a step.
        """
        asked = _QUESTION.search(problem.question)
        if asked is None or any(name not in RULES for name in asked[2].split(", ")):
            return None
        book = check_book("metadata.book", str(problem.metadata.get("book", "digits")))
        end = max((found.start() for found in _ANSWER.finditer(text)), default=len(text))
        steps, due = list(_steps(text, end)), asked[2].split(", ")
        wrong, reached = _first_wrong(steps, due, asked[1], book)
        if wrong is not None:
            return wrong
        if extract_answer(text) is None:
            kind, found = ("truncated", "cut off") if truncated else ("format", "no final answer")
            return WrongStep(kind=kind, start=len(text), end=len(text), expected="a final answer", found=found)
        return _after_steps(text, steps, due, reached, end, book)


def _steps(text: str, end: int) -> Iterator[_Step]:
    for found in _STEP.finditer(text, 0, end):
        yield _Step(found[1], found[2], found[3], found.start(), found.end())


def _first_wrong(steps: Sequence[_Step], due: Sequence[str], at: str, book: Book) -> tuple[WrongStep | None, str]:
    """Return the first step that does not hold, if any, and what the steps before it reach."""
    for place, step in enumerate(steps):
        rule = due[place] if place < len(due) else None
        wrong = _judge(step, rule, at, book)
        if wrong is not None:
            return wrong, at
        at = step.right
    return None, at


def _judge(step: _Step, rule: str | None, at: str, book: Book) -> WrongStep | None:
    """Hold a step against the rule that is due (None: no more) at what was reached."""
    said = f"{step.left} {step.rule} {step.right}"
    if rule is None:
        return WrongStep(kind="order", start=step.start, end=step.end, expected="the final answer", found=said)
    expected = f"{at} {rule} {apply(book, rule, at)}"
    if said == expected:
        return None
    kind = "order" if step.rule != rule else "copied" if step.left != at else "rule"
    skill = None if kind == "copied" else rule
    return WrongStep(kind=kind, start=step.start, end=step.end, expected=expected, found=said, skill=skill)


def _after_steps(
    text: str, steps: Sequence[_Step], due: Sequence[str], at: str, end: int, book: Book
) -> WrongStep | None:
    """Judge what follows steps that hold: one may be missing, and the final answer may be another."""
    if not steps:
        return None
    if len(steps) < len(due):
        rule = due[len(steps)]
        expected = f"{at} {rule} {apply(book, rule, at)}"
        return WrongStep(kind="order", start=end, end=end, expected=expected, found="no step", skill=rule)
    answer = extract_answer(text) or ""
    if same(answer, at):
        return None
    return WrongStep(kind="answer", start=end, end=len(text), expected=at, found=answer[:80])
