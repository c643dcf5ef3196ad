"""The baseline: problems drawn evenly, whatever the diagnosis says."""

from __future__ import annotations

from ...schema import LessonPlan
from ...seams import PlanningRequest
from .draft import Pick, lesson_plan
from .draw import generator_of, weighted_order
from .learner_model import LearnerModel


class UniformPlanner:
    """Draws train problems evenly, without looking at the diagnosis: the baseline of every comparison."""

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments."""
        model = LearnerModel.of(request)
        pool = model.everything
        drawn = weighted_order(pool, [1.0] * len(pool), generator_of(request))
        picks = (Pick(problem, f"drawn evenly, 1 of {len(pool)}") for problem in drawn)
        return lesson_plan(picks, request, model)
