"""Pick the problems of a cycle: those at the edge of what the student can do, and those it still gets wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from ...errors import InputError
from ...schema import Assignment, Attempt, Diagnosis, LessonPlan, Problem
from ...seams import PlanningRequest

WEAK_SHARE: Final = 0.05
"""Each weak skill gets at least this share of the drawn lessons, as far as there are problems that need it."""

PRIOR = 2.0
"""Answers that the mastery of a problem's skills counts for beside its own latest answer."""


class PacedPlanner:
    """Draws problems with weight p(1-p), p being the predicted pass rate (PACED, arXiv 2603.11178).

    Problems that were taught and are still wrong return first, for a refined rationale. While every p is near 0, as
    in a first cycle, the floor makes the draw uniform.
    """

    def __init__(self, floor: float = 0.15, fresh: float = 0.5) -> None:
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
        generator = np.random.default_rng([request.seed, request.cycle])
        pool = list({problem.id: problem for problem in request.problems}.values())
        lessons = min(max(request.lessons, 0), len(pool))
        latest = latest_scores(request.attempts)
        drawn = self._ranked(pool, request.diagnosis, latest, generator)
        returning = _returning(drawn, request, latest)[: int(lessons * (1 - self.fresh))]
        back = {problem.id for problem in returning}
        others = [problem for problem in drawn if problem.id not in back]
        fresh = _balanced(others, request.diagnosis, lessons - len(returning))
        reasons = {problem.id: f"predicted {predicted(problem, request.diagnosis, latest):.2f}" for problem in fresh}
        reasons |= dict.fromkeys(back, "wrong last time")
        assignments = tuple(
            Assignment(
                problem_id=problem.id,
                teachers=request.teachers,
                weakness=weakness_of(problem, request.diagnosis),
                reason=reasons[problem.id],
            )
            for problem in (*returning, *fresh)
        )
        return LessonPlan(cycle=request.cycle, assignments=assignments, budget={"lessons": float(len(assignments))})

    def _ranked(
        self,
        pool: Sequence[Problem],
        diagnosis: Diagnosis,
        latest: Mapping[str, float],
        generator: np.random.Generator,
    ) -> list[Problem]:
        """Order the pool as a weighted draw without replacement would.

        Exponential waiting times divided by the weights, smallest first (Efraimidis and Spirakis 2006).
        """
        chance = np.array([predicted(problem, diagnosis, latest) for problem in pool])
        weights = np.maximum(4 * chance * (1 - chance), self.floor)
        order = np.argsort(generator.exponential(size=len(pool)) / weights, kind="stable")
        return [pool[int(index)] for index in order]


def predicted(problem: Problem, diagnosis: Diagnosis, latest: Mapping[str, float]) -> float:
    """Predict the pass rate at a problem.

    The mastery of its weakest skill (the overall accuracy where it has none); its own latest score, where it has one,
    moves this by as much as one answer should: a single wrong answer does not make a problem hopeless.

    Args:
        problem: Any problem.
        diagnosis: Gives mastery and accuracy.
        latest: Mean score of the latest attempts, by problem id.
    """
    known = [mastery.mean for mastery in diagnosis.mastery if mastery.skill in problem.skills]
    expected = min(known, default=diagnosis.accuracy)
    if problem.id not in latest:
        return expected
    return (latest[problem.id] + PRIOR * expected) / (1 + PRIOR)


def latest_scores(attempts: Sequence[Attempt]) -> dict[str, float]:
    """Return the mean score of each problem's attempts in the last cycle in which it was attempted."""
    cycles: dict[str, int] = {}
    for attempt in attempts:
        cycles[attempt.problem_id] = max(attempt.cycle, cycles.get(attempt.problem_id, attempt.cycle))
    scores: dict[str, list[float]] = {}
    for attempt in attempts:
        if attempt.cycle == cycles[attempt.problem_id]:
            scores.setdefault(attempt.problem_id, []).append(attempt.score)
    return {problem: sum(found) / len(found) for problem, found in scores.items()}


def _returning(drawn: Sequence[Problem], request: PlanningRequest, latest: Mapping[str, float]) -> list[Problem]:
    """Return the problems that were taught and that the last exam still found wrong, the least taught first."""
    back = [p for p in drawn if latest.get(p.id, 1.0) < 1.0 and request.taught.get(p.id, 0) > 0]
    return sorted(back, key=lambda p: (request.taught[p.id], latest[p.id]))


def _balanced(ranked: Sequence[Problem], diagnosis: Diagnosis, count: int) -> list[Problem]:
    """Take the first `count`, but no weak skill with less than its share; the order stays that of the draw."""
    weak = [weakness.name for weakness in diagnosis.taught]
    quota = int(count * min(WEAK_SHARE, 0.5 / max(len(weak), 1)))
    reserved: dict[str, None] = {}
    for skill in weak:
        reserved.update(dict.fromkeys(_first_ids(ranked, skill, quota)))
    kept = set(reserved)
    for problem in ranked:
        if len(kept) >= count:
            break
        kept.add(problem.id)
    return [problem for problem in ranked if problem.id in kept]


def _first_ids(ranked: Iterable[Problem], skill: str, quota: int) -> list[str]:
    return [problem.id for problem in ranked if skill in problem.skills][:quota]


def weakness_of(problem: Problem, diagnosis: Diagnosis) -> str | None:
    """Name the most severe weakness among a problem's skills."""
    return next((weakness.name for weakness in diagnosis.taught if weakness.name in problem.skills), None)
