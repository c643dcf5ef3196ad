"""The planner that draws nothing: every train problem, in the task's order."""

from __future__ import annotations

from ...schema import LessonPlan
from ...seams import PlanningRequest
from .draft import Pick, lesson_plan
from .learner_model import LearnerModel


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
        picks = (Pick(problem, f"in turn: {place} of {len(left)}") for place, problem in enumerate(left, start=1))
        return lesson_plan(picks, request, LearnerModel.of(request))
