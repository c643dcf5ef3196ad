"""The planner that draws nothing: every train problem, in the task's order."""

from __future__ import annotations

from ...schema import Assignment, LessonPlan
from ...seams import PlanningRequest
from .paced import weakness_of


class EveryPlanner:
    """Plans the train problems in the task's order, as many as may be taught."""

    def __init__(self, once: bool = False) -> None:
        """Choose.

        Args:
            once: Whether a problem that this student, or one it came from, was taught is left out.
        """
        self.once = once

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments."""
        pool = {problem.id: problem for problem in request.problems}.values()
        left = [problem for problem in pool if not (self.once and request.taught.get(problem.id))]
        assignments = tuple(
            Assignment(
                problem_id=problem.id,
                teachers=request.teachers,
                weakness=weakness_of(problem, request.diagnosis),
                reason="in turn",
            )
            for problem in left[: max(request.lessons, 0)]
        )
        return LessonPlan(cycle=request.cycle, assignments=assignments, budget={"lessons": float(len(assignments))})
