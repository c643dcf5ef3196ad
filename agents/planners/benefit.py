"""Explain where it is worth most: predicted benefit per token, under a budget (a theory of mind of the student)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from ...errors import InputError
from ...schema import Assignment, LessonPlan, Problem
from ...seams import Outcome, PlanningRequest
from .paced import latest_scores, predicted, weakness_of

PRIOR: Final = 2.0
"""Outcomes that the belief with which a kind of problem begins is worth."""
OWN: Final = 3
"""Outcomes of like problems that one of the problem itself is worth: what was explained in vain is, next time, too."""


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

    def __init__(self, tokens: int = 100) -> None:
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
        ranked = sorted(self._forecasts(request), key=lambda forecast: -forecast.worth)
        chosen: list[Forecast] = []
        spent = 0.0
        for forecast in ranked:
            if len(chosen) >= request.lessons:
                break
            if request.tokens is None or spent + forecast.tokens <= request.tokens:
                chosen.append(forecast)
                spent += forecast.tokens
        assignments = tuple(
            Assignment(
                problem_id=one.problem.id,
                teachers=request.teachers,
                weakness=weakness_of(one.problem, request.diagnosis),
                reason=f"benefit {one.benefit:+.2f} in {one.tokens:.0f} tokens",
            )
            for one in chosen
        )
        return LessonPlan(
            cycle=request.cycle, assignments=assignments, budget={"lessons": float(len(chosen)), "tokens": spent}
        )

    def _forecasts(self, request: PlanningRequest) -> list[Forecast]:
        pool = {problem.id: problem for problem in request.problems}
        means = {mastery.skill: mastery.mean for mastery in request.diagnosis.mastery}
        latest = latest_scores(request.attempts)
        by_kind: dict[str | None, list[Outcome]] = defaultdict(list)
        by_problem: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in request.outcomes:
            if outcome.problem_id in pool:
                by_kind[_kind(pool[outcome.problem_id], means)].append(outcome)
                by_problem[outcome.problem_id].append(outcome)
        usual = _mean_tokens(request.outcomes, self.tokens)
        found = []
        for problem in pool.values():
            like = by_kind[_kind(problem, means)]
            alone = predicted(problem, request.diagnosis, latest)
            explained = chance_explained([*like, *(OWN - 1) * by_problem[problem.id]], alone)
            found.append(Forecast(problem, explained - alone, _mean_tokens(like, usual)))
        return found


def chance_explained(outcomes: Sequence[Outcome], alone: float) -> float:
    """Return p(right | explained): the mean of the Beta posterior.

    Args:
        outcomes: Of like problems; those that were not examined afterwards say nothing.
        alone: p(right | not explained).
    """
    right = [outcome.right for outcome in outcomes if outcome.right is not None]
    return (sum(right) + PRIOR * (1 + alone) / 2) / (len(right) + PRIOR)


def _mean_tokens(outcomes: Sequence[Outcome], otherwise: float) -> float:
    return max(1.0, sum(o.tokens for o in outcomes) / len(outcomes)) if outcomes else otherwise


def _kind(problem: Problem, means: dict[str, float]) -> str | None:
    """Return the problem's weakest skill, of which alone something is known; None if there is none."""
    return min((skill for skill in problem.skills if skill in means), key=lambda skill: means[skill], default=None)
