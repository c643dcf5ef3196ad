"""Explain where it is worth most: predicted benefit per token, under a budget (a theory of mind of the student)."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import InputError
from ...schema import LessonPlan, Problem
from ...seams import PlanningRequest
from .draft import Pick, lesson_plan
from .explanations import TOKENS, Explanations
from .learner_model import LearnerModel


class Forecast(NamedTuple):
    """What is expected of explaining one problem."""

    problem: Problem
    benefit: float
    """p(right | explained) - p(right | not explained), in [-1, 1]."""
    tokens: float
    """Expected length of all that teachers write for it."""

    @property
    def worth(self) -> float:
        """Benefit per token."""
        return self.benefit / self.tokens


class BenefitPlanner:
    """Plans the problems with the largest predicted benefit per token.

    The utility of explaining x is p(right | x explained) - p(right | x not explained) (Saha, Hase and Bansal 2023,
    arXiv 2306.09299: two mental models of the student); here it is divided by the cost. The authors ask a
    model for both; here both are counted:

    - not explained, p: mastery of its weakest skill, moved by its own latest answers, as the planner `paced` has it;
    - explained: the mean of a Beta posterior, (k + PRIOR (1 + p) / 2) / (n + PRIOR), with k of n explained problems of
      its kind right afterwards. The prior is that an explanation gains half of what is missing.

    A problem's kind is its weakest skill. The tokens are the mean of what explaining its kind took so far.
    """

    def __init__(self, tokens: int = TOKENS) -> None:
        """Set what is not known yet.

        Args:
            tokens: Expected of an explanation before the first was written.

        Raises:
            InputError: If it is not positive.
        """
        if tokens < 1:
            raise InputError(f"planner: tokens {tokens} is out of range; give at least 1")
        self.tokens = tokens

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments within `request.tokens`, the most worthwhile first."""
        model = LearnerModel.of(request)
        explanations = Explanations(request, model, self.tokens)
        ranked = sorted(_forecasts(model, explanations), key=lambda forecast: (-forecast.worth, forecast.problem.id))
        picks = [Pick(one.problem, f"benefit {one.benefit:+.2f} in {one.tokens:.0f} tokens") for one in ranked]
        return lesson_plan(picks, request, model, explanations)


def _forecasts(model: LearnerModel, explanations: Explanations) -> list[Forecast]:
    found = []
    for problem in model.pool:
        alone = model.predicted(problem)
        benefit = explanations.chance_explained(problem, alone) - alone
        found.append(Forecast(problem, benefit, explanations.tokens(problem)))
    return found
