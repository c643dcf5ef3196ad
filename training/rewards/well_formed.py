"""Whether the answer has the form that is asked for."""

from __future__ import annotations

from ...schema import Grade, Problem


def well_formed(problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
    """Return 1 for an answer that has a final answer and ends, right or wrong."""
    return float(grade.answer is not None and stopped)
