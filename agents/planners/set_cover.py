"""Teach along the paths that lead from what is mastered to what is weak, as few of them as cover all weak skills."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import networkx as nx

from ...errors import InputError
from ...schema import LessonPlan, Problem
from ...seams import PlanningRequest
from .allocation import allocate, by_skill
from .draft import Pick, fill_up, lesson_plan
from .draw import edge_order, generator_of
from .learner_model import LearnerModel
from .path_cover import Path, PathCover
from .prerequisite_graph import ancestor_shares, prerequisite_graph, teaching_order

LEAST_WEIGHT: Final = 0.05
"""What a skill on a path weighs at least, however well it is known."""


class _Leg(NamedTuple):
    """A skill on a chosen path."""

    skill: str
    number: int
    """Of the path, from 1."""
    path: Path


class SetCoverPlanner:
    """Teaches the skills on the paths from mastered skills to weak ones, prerequisites first (GraphMASAL).

    Multi-source multi-sink shortest paths and a greedy set cover of the sinks (arXiv 2511.11035, section on the
    planner). The cost of a skill is `unmastered` x (1 - mastery) + `difficulty` x share of all skills that it builds on
    + `narrowness` x (1 - share of all skills that build on it directly). The paper's weights are not known; the
    defaults are those of a public re-implementation. Each skill on a path gets lessons in proportion to 1 - mastery; a
    problem belongs to the last of its skills that are taught. What then is open is drawn by p(1-p).
    """

    def __init__(
        self,
        mastered: float = 0.8,
        unmastered: float = 0.5,
        difficulty: float = 0.3,
        narrowness: float = 0.2,
        each: int = 4,
        fill: bool = True,
    ) -> None:
        """Set what counts as mastered and what a path costs.

        Args:
            mastered: A skill with at least this mastery may begin a path, in (0, 1].
            unmastered: Weight of what is missing of a skill's mastery, positive.
            difficulty: Weight of the share of skills that it builds on, 0 or more.
            narrowness: Weight of the share of skills that do not build on it, positive.
            each: Lessons for each skill on a path: paths for which there are too few wait for the next cycle; the first
                path is taken whole, even so.
            fill: Whether lessons that are left open are drawn from the rest of the pool.

        Raises:
            InputError: If a value is out of range.
        """
        if not 0 < mastered <= 1:
            raise InputError(f"planner: mastered {mastered} is out of range; give a number in (0, 1]")
        for name, weight in (("unmastered", unmastered), ("narrowness", narrowness)):
            if not 0 < weight < float("inf"):
                raise InputError(f"planner: {name} {weight} is out of range; give a positive number")
        if not 0 <= difficulty < float("inf"):
            raise InputError(f"planner: difficulty {difficulty} is out of range; give 0 or more")
        if each < 1:
            raise InputError(f"planner: each {each} is out of range; give at least 1")
        self.mastered, self.each, self.fill = mastered, each, fill
        self.unmastered, self.difficulty, self.narrowness = unmastered, difficulty, narrowness

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, prerequisites first."""
        model, generator = LearnerModel.of(request), generator_of(request)
        graph = prerequisite_graph(request.diagnosis.prerequisites, _skills(model))
        order = teaching_order(graph)
        needed = {skill for problem in model.pool for skill in model.skills(problem)}
        legs = self._legs(self.cover(model, graph, needed), model, request.lessons)
        homes = _homes(edge_order(model.pool, model, generator), model, legs, order)
        shares = {
            skill: max(1 - model.mastery(skill), LEAST_WEIGHT) for skill in sorted(legs, key=lambda one: order[one])
        }
        picks = [
            Pick(problem, _reason(legs[skill], model))
            for skill, problems in allocate(shares, homes, request.lessons).items()
            for problem in problems
        ]
        return lesson_plan(fill_up(picks, request, model, generator) if self.fill else picks, request, model)

    def cover(self, model: LearnerModel, graph: nx.DiGraph, needed: Collection[str]) -> PathCover:
        """Return the search for paths; its sinks are the weaknesses that some problem needs."""
        difficulty, total = ancestor_shares(graph), len(graph)
        costs = {
            skill: self.unmastered * (1 - model.mastery(skill))
            + self.difficulty * difficulty[skill]
            + self.narrowness * (1 - graph.out_degree(skill) / total)
            for skill in graph
        }
        sinks = [skill for skill in model.weak if skill in needed]
        mastered = [skill for skill in graph if model.mastery(skill) >= self.mastered]
        return PathCover(graph, costs, mastered, sinks)

    def _legs(self, cover: PathCover, model: LearnerModel, lessons: int) -> dict[str, _Leg]:
        """Return what is taught of the chosen paths: the first one whole, further ones while there are lessons."""
        legs: dict[str, _Leg] = {}
        most = max(lessons // self.each, 1)
        for number, path in enumerate(cover.paths(), start=1):
            new = [s for s in path.skills if s not in legs and (s in model.weak or model.mastery(s) < self.mastered)]
            if legs and len(legs) + len(new) > most:
                break
            legs |= {skill: _Leg(skill, number, path) for skill in new if skill not in model.refuted}
        return legs


def _skills(model: LearnerModel) -> set[str]:
    return {skill for problem in model.everything for skill in model.skills(problem)}


def _homes(
    drawn: list[Problem], model: LearnerModel, legs: Mapping[str, _Leg], order: Mapping[str, int]
) -> dict[str, list[Problem]]:
    """Group problems by the last of their skills that are taught: what comes before it is taught by then."""

    def home(problem: Problem) -> list[str]:
        taught = [skill for skill in model.skills(problem) if skill in legs]
        return [max(taught, key=order.__getitem__)] if taught else []

    return by_skill(drawn, home)


def _reason(leg: _Leg, model: LearnerModel) -> str:
    what = f"{leg.skill} is mastered to {model.mastery(leg.skill):.2f}"
    return f"path {leg.number}, to {leg.path.skills[-1]}, covers {leg.path.covers} weak skills; {what}"
