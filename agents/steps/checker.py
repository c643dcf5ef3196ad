"""The built-in step checker: arithmetic."""

from __future__ import annotations

from ...schema import Problem, WrongStep
from .finder import find_wrong_step


class ArithmeticChecker:
    """Finds the first step that exact arithmetic, the question's numbers or the text's form speak against."""

    def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
        """Look at the text and at the problem's question only; see `tutelage.agents.steps.find_wrong_step`."""
        return find_wrong_step(problem.question, text, truncated)
