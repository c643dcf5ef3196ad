"""The critic without a model: it turns what the judge has found into one question."""

from __future__ import annotations

from ...arithmetic import evaluate
from ...schema import NO_STEP, TOO_LONG, Problem, Rationale, TeachingRequest, WrongStep
from ...seams import NOTHING_TO_ASK
from ..prompts import one_line

_SHORT = 80
"""Characters of what is quoted in a question."""


class StepsCritic:
    """Asks about the first wrong step, or about what else the judge has found; never says how it is done right."""

    def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
        """Return one question; the stop signal if the same was asked in this lesson before, and did not help."""
        question = _about(request.problem, rationale)
        asked = {note.question for note in request.earlier if note.cycle == request.cycle}
        return NOTHING_TO_ASK if rationale.verified or question in asked else question


def _about(problem: Problem, rationale: Rationale) -> str:
    if rationale.wrong_step is not None:
        return _about_step(rationale.wrong_step, rationale.text.strip())
    if rationale.rejected == TOO_LONG:
        return "Which of your steps can be left out or said in fewer words?"
    if rationale.rejected == NO_STEP:
        return "By which steps does one get to the answer?"
    asked = "number" if evaluate(problem.answer) is not None else "last line"
    if rationale.answer is None:
        return f"Which {asked} answers the question?"
    return f"At which step do you leave the way? You answer {one_line(rationale.answer, _SHORT)}."


def _about_step(step: WrongStep, text: str) -> str:
    found, expected = one_line(step.found, _SHORT), one_line(step.expected, _SHORT)
    if step.kind == "equation":
        left = text[step.start : step.end].partition("=")[0]
        return f"What is {one_line(left, _SHORT).strip(' *')}? You wrote {found}."
    if step.kind == "copied" and expected.replace(".", "").isdigit():
        return f"Which number of the question is {found} meant to be?"
    if step.kind == "copied":
        return f"Where does {found} come from? You are asked {expected}."
    if step.kind == "answer":
        return f"Which is the answer, {expected} or {found}?"
    return f"What comes after {found}?"
