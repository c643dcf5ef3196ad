"""Find the first wrong step of a worked solution, without a model.

Every equation is checked with exact arithmetic; then the final answer against the last result, the numbers used
against the question, and the form. What can be read in two ways raises no alarm.
"""

from __future__ import annotations

from ...arithmetic import as_text
from ...schema import WrongStep
from .answers import final_answer, is_complete, wrong_answer
from .asked import asked_expression, put_together, solved
from .copied import miscopied
from .equations import Equation, read_equations
from .expressions import Expression, read_expression
from .repetition import repetition
from .tokens import MAX_TEXT, SHOWN


def find_wrong_step(question: str, text: str, truncated: bool = False) -> WrongStep | None:
    """Find the first step of a solution that does not hold.

    Kinds, by position in the text: `equation` (does not hold), `copied` (a number of the question copied wrongly; see
    `copied.py`), `repetition`, `answer` (differs from the last result). If there is none of these:
    `truncated` (the text was cut off before its final answer) or `format` (it ends without one).

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
    if truncated and equations and equations[-1].end >= len(text.rstrip().rstrip(".,")):
        equations.pop()  # its last number may be half written
    answer = final_answer(text)
    if truncated and answer is not None and answer.end >= len(text.rstrip()) and not is_complete(answer):
        answer = None  # likewise
    question = question[:MAX_TEXT]
    asked = asked_expression(question)
    found = [_wrong_equation(equations, text), repetition(text)]
    right = solved(asked, equations, answer)
    if not right:  # who gets there in a way of their own has copied rightly
        ends_wrong = answer is not None and read_expression(answer.text) is not None
        found.append(miscopied(question, asked, equations, text, ends_wrong))
    if answer is not None and not (right and put_together(equations, answer)):
        found.append(wrong_answer(question, equations, answer, text))
    steps = [step for step in found if step is not None]
    if steps:
        return min(steps, key=lambda step: step.start)
    return _missing(text, truncated) if answer is None else None


def _wrong_equation(equations: list[Equation], text: str) -> WrongStep | None:
    for equation in equations:
        if equation.verdict == "wrong" and equation.right is not None:
            return _as_step(equation, equation.left, equation.right, text)
    return None


def _as_step(equation: Equation, left: Expression, right: Expression, text: str) -> WrongStep:
    if right.operators and not left.operators and "/ 100)" not in left.text:
        left, right = right, left
    skills = {step.skill for step in (equation.steps() if left is equation.left else ())}
    said = text[right.start : right.end] if right.operators else as_text(right.values[0])
    return WrongStep(
        kind="equation",
        start=equation.start,
        end=equation.end,
        expected=as_text(left.values[0])[:SHOWN],
        found=said[:SHOWN],
        skill=skills.pop() if len(skills) == 1 else None,
    )


def _missing(text: str, truncated: bool) -> WrongStep:
    """Say that there is no final answer, because the text was cut off or for no such reason."""
    kind, found = ("truncated", "cut off") if truncated else ("format", "no final answer")
    return WrongStep(kind=kind, start=len(text), end=len(text), expected="a final answer", found=found)
