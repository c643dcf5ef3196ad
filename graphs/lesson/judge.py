"""The judge: why a rationale cannot be taught. Rules only, no model; each reason is a word that is counted.

In this order: it is too long or empty, gives no final answer, a wrong one, contradicts itself (its steps or an earlier
declaration say something else than its final answer), has a wrong step, or gives the answer away without a step.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...agents.steps.answers import agree, declared_answers
from ...agents.steps.equations import read_equations
from ...agents.steps.expressions import read_expression
from ...arithmetic import evaluate
from ...schema import NO_STEP, TOO_LONG, Problem, WrongStep
from ...seams import StepChecker, Task
from .call import EMPTY, MAX_CHARACTERS

NO_ANSWER = "no final answer"
WRONG_ANSWER = "wrong answer"
CONTRADICTION = "contradiction"
WRONG_STEP = "wrong step"

MIN_CONTENT = 2
"""Words or numbers that a reason consists of at least: `Paris is in France.`"""

_FILLER = """
a an and answer answers as at be because below by certainly choice choose correct equal equals final find following for
from get give given gives have hence here i in is it just let me must my need now of ok okay on option or our please
problem question reasoning result right s shall simply so solution solve solved solving step steps sure that the then
therefore think this thus to us was we well what which will with work yes you your
"""
_SAYS_NOTHING = frozenset(_FILLER.split())
"""Words of which a declaration of the answer, or talk around it, consists."""
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.](?=\w)[^\n.!?]*)*[.!?]*")
_CLAUSE = re.compile(r"[.,;:!?]\s")
_WORD = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)*|\w+")


class Judgement(NamedTuple):
    """What the judge says of a text."""

    reason: str | None
    """Why it cannot be taught; None if it can."""
    answer: str | None = None
    """Its final answer, as the task reads it."""
    wrong_step: WrongStep | None = None


def judge(task: Task, problem: Problem, text: str, checker: StepChecker, steps: bool = True) -> Judgement:
    """Judge a text; what is not found wrong passes.

    Args:
        task: Its grader says what the final answer is, and whether it is right.
        problem: What the text solves.
        text: A rationale.
        checker: Finds its first wrong step.
        steps: Whether a wrong step, or one that contradicts the answer, turns it away; otherwise it is only noted.
    """
    if len(text) > MAX_CHARACTERS:
        return Judgement(TOO_LONG)
    text = text.strip()
    if not text:
        return Judgement(EMPTY)
    answer, score = task.grade(problem, text)
    if answer is None:
        return Judgement(NO_ANSWER)
    wrong = checker.find_wrong_step(problem, text)
    if wrong is not None and wrong.kind == "format":
        wrong = None  # the task, not the checker, says what an answer looks like
    if score < 1.0:
        return Judgement(WRONG_ANSWER, answer, wrong)
    contradiction = _contradiction(text, wrong)
    if steps and contradiction:
        return Judgement(CONTRADICTION, answer, contradiction)
    if steps and wrong is not None:
        return Judgement(WRONG_STEP, answer, wrong)
    return Judgement(None if has_step(problem, answer, text) else NO_STEP, answer, contradiction or wrong)


def _contradiction(text: str, wrong: WrongStep | None) -> WrongStep | None:
    """Return what speaks against the final answer: the last result, or a number declared as the answer before."""
    if wrong is not None and wrong.kind == "answer":
        return wrong
    declarations = declared_answers(text)
    final = read_expression(declarations[-1].text) if declarations else None
    if final is None or final.operators:
        return None
    *before, last = declarations
    for declared in before:
        said = evaluate(_CLAUSE.split(declared.text, 1)[0].rstrip(".,;:!?* "))
        if said is not None and not any(agree(shown, said) for shown in final.values):
            return WrongStep(
                kind="answer", start=last.start, end=last.end, expected=declared.text[:80], found=last.text
            )
    return None


def has_step(problem: Problem, answer: str, text: str) -> bool:
    """Whether a text holds an equation, or a sentence that says more than what the answer is."""
    if any(e.left.operators or (e.right is not None and e.right.operators) for e in read_equations(text)):
        return True
    known = {*_words(answer), *_words(problem.answer)}
    asked = " ".join(_words(problem.question))
    content: set[str] = set()
    for match in _SENTENCE.finditer(text):
        words = _words(match.group())
        repeats = match.group().endswith("?") and " ".join(words) in asked
        telling = [word for word in words if word not in _SAYS_NOTHING]
        if not repeats and set(telling) - known:
            content.update(telling)
    return sum(map(_weight, content)) >= MIN_CONTENT


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _weight(word: str) -> int:
    """A word counts once; in scripts without spaces a run of letters is several."""
    return 1 if word.isascii() else max(1, len(word) // 2)
