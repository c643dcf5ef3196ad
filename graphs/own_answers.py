"""The student's own right answers, which are lessons where the configuration keeps them."""

from __future__ import annotations

from ..schema import Attempt, Problem, Split
from .context import RunContext
from .exam import known_attempts


def own_answers(context: RunContext, student: str, cycle: int) -> dict[str, Attempt]:
    """Return a student's right answers to train problems whose steps hold, by problem; none if they are not kept."""
    if not context.config.teach.keep_correct:
        return {}
    problems = {p.id: p for p in context.problems[Split.TRAIN]}
    attempts = known_attempts(context, student, Split.TRAIN, cycle).values()
    right = [a for a in attempts if a.correct and not _wrong(context, problems[a.problem_id], a.text)]
    return {a.problem_id: a for a in reversed(right)}


def _wrong(context: RunContext, problem: Problem, text: str) -> bool:
    """Whether a step is wrong; what a final answer looks like is the task's to say, not the checker's."""
    found = context.checker.find_wrong_step(problem, text)
    return found is not None and found.kind != "format"
