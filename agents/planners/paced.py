"""Pick the problems of a cycle: those at the edge of what the student can do, and those it still gets wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from ...errors import InputError
from ...schema import LessonPlan, Problem
from ...seams import PlanningRequest
from .draft import Pick, lesson_plan
from .draw import FLOOR, edge_order, generator_of
from .learner_model import LearnerModel

WEAK_SHARE: Final = 0.05
"""Each weak skill gets at least this share of the drawn lessons, as far as there are problems that need it."""


class PacedPlanner:
    """Draws problems with weight p(1-p), p being the predicted pass rate (PACED, arXiv 2603.11178).

    Problems that were taught and are still wrong return first, for a refined rationale. While every p is near 0, as
    in a first cycle, the floor makes the draw uniform.
    """

    def __init__(self, floor: float = FLOOR, fresh: float = 0.5) -> None:
        """Set the shares.

        Args:
            floor: Least weight of a problem, in (0, 1]; the weight at p = 0.5 is 1.
            fresh: Share of the lessons that is drawn rather than returned, in [0, 1].

        Raises:
            InputError: If a value is out of range.
        """
        if not 0 < floor <= 1:
            raise InputError(f"planner: floor {floor} is out of range; give a number in (0, 1]")
        if not 0 <= fresh <= 1:
            raise InputError(f"planner: fresh {fresh} is out of range; give a number in [0, 1]")
        self.floor = floor
        self.fresh = fresh

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, each problem once, in teaching order."""
        model = LearnerModel.of(request)
        drawn = edge_order(model.pool, model, generator_of(request), self.floor)
        lessons = min(max(request.lessons, 0), len(drawn))
        returning = _returning(drawn, request, model)[: int(lessons * (1 - self.fresh))]
        back = {problem.id for problem in returning}
        others = [problem for problem in drawn if problem.id not in back]
        fresh = _balanced(others, request, model, lessons - len(returning))
        again = [Pick(one, f"wrong last time, lessons so far: {request.taught[one.id]}") for one in returning]
        new = [Pick(one, f"predicted {model.predicted(one):.2f}") for one in fresh]
        return lesson_plan([*again, *new], request, model)


def _returning(drawn: Sequence[Problem], request: PlanningRequest, model: LearnerModel) -> list[Problem]:
    """Return the problems that were taught and that the last exam still found wrong, the least taught first."""
    back = [p for p in drawn if model.latest.get(p.id, 1.0) < 1.0 and request.taught.get(p.id, 0) > 0]
    return sorted(back, key=lambda p: (request.taught[p.id], model.latest[p.id]))


def _balanced(ranked: Sequence[Problem], request: PlanningRequest, model: LearnerModel, count: int) -> list[Problem]:
    """Take the first `count`, but no weak skill with less than its share; the order stays that of the draw."""
    weak = [weakness.name for weakness in request.diagnosis.taught]
    quota = int(count * min(WEAK_SHARE, 0.5 / max(len(weak), 1)))
    by_skill: defaultdict[str, list[str]] = defaultdict(list)
    for problem in ranked:
        for skill in model.skills(problem):
            by_skill[skill].append(problem.id)
    kept = {name for skill in weak for name in by_skill[skill][:quota]}
    for problem in ranked:
        if len(kept) >= count:
            break
        kept.add(problem.id)
    return [problem for problem in ranked if problem.id in kept]
