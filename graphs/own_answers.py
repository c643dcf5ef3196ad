"""The student's own right answers, which are lessons where the configuration keeps them."""

from __future__ import annotations

from ..agents.checker.steps import find_wrong_step
from ..schema import Attempt, Split
from .context import RunContext
from .exam import known_attempts


def own_answers(context: RunContext, student: str, cycle: int) -> dict[str, Attempt]:
    """Return a student's right answers to train problems whose steps hold, by problem; none if they are not kept."""
    if not context.config.teach.keep_correct:
        return {}
    questions = {p.id: p.question for p in context.problems[Split.TRAIN]}
    attempts = known_attempts(context, student, Split.TRAIN, cycle).values()
    right = [a for a in attempts if a.correct and not _wrong(questions[a.problem_id], a.text)]
    return {a.problem_id: a for a in reversed(right)}


def _wrong(question: str, text: str) -> bool:
    """Whether a step is wrong; what a final answer looks like is the task's to say, not the checker's."""
    found = find_wrong_step(question, text)
    return found is not None and found.kind != "format"
