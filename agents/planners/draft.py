"""The draft of a plan: what a planner picked, and why; it becomes a lesson plan within the limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...schema import Assignment, LessonPlan, Problem
from ...seams import PlanningRequest
from .draw import edge_order
from .explanations import Explanations
from .learner_model import LearnerModel


class Pick(NamedTuple):
    """A problem to teach."""

    problem: Problem
    reason: str
    """Why, in a few words with the number that decided."""
    made: Assignment | None = None
    """What another planner assigned: all of it but the reason is kept."""

    def assignment(self, request: PlanningRequest, model: LearnerModel) -> Assignment:
        """Return what is planned: what was assigned, or the problem for its worst weakness, by any teacher."""
        if self.made is not None:
            return self.made.model_copy(update={"reason": self.reason})
        weakness = model.weakness(self.problem)
        return Assignment(problem_id=self.problem.id, teachers=request.teachers, weakness=weakness, reason=self.reason)


def fill_up(
    picks: list[Pick], request: PlanningRequest, model: LearnerModel, generator: np.random.Generator
) -> list[Pick]:
    """Return the picks, and for the lessons that they leave open problems drawn by p(1-p) from the rest."""
    chosen = {pick.problem.id for pick in picks}
    missing = request.lessons - len(chosen)
    if missing <= 0:
        return picks
    rest = edge_order([problem for problem in model.pool if problem.id not in chosen], model, generator)
    drawn = [Pick(problem, f"room left, predicted {model.predicted(problem):.2f}") for problem in rest[:missing]]
    return [*picks, *drawn]


def lesson_plan(
    picks: Iterable[Pick], request: PlanningRequest, model: LearnerModel, explanations: Explanations | None = None
) -> LessonPlan:
    """Write the plan: the first `request.lessons` picks, each problem once, for which `request.tokens` is enough.

    Its budget says how many lessons it has, and how many tokens teachers are expected to write for them.

    Args:
        picks: In teaching order.
        request: What is planned.
        model: Made of the request.
        explanations: Likewise, where the planner has it already.
    """
    costs = explanations or Explanations(request, model)
    chosen: dict[str, Pick] = {}
    spent = 0.0
    for pick in picks:
        if len(chosen) >= request.lessons:
            break
        tokens = costs.tokens(pick.problem)
        if pick.problem.id not in chosen and (request.tokens is None or spent + tokens <= request.tokens):
            chosen[pick.problem.id] = pick
            spent += tokens
    assignments = tuple(pick.assignment(request, model) for pick in chosen.values())
    return LessonPlan(
        cycle=request.cycle, assignments=assignments, budget={"lessons": float(len(assignments)), "tokens": spent}
    )
