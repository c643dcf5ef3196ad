"""A ladder: the lowest stage that is not mastered, in small steps, with remedial problems until it is (IOA)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ...errors import InputError
from ...schema import Diagnosis, LessonPlan, Problem
from ...seams import PlanningRequest
from .draft import Pick, lesson_plan
from .draw import edge_order, generator_of, weighted_order
from .learner_model import LearnerModel
from .prerequisite_graph import prerequisite_graph, stages

TOLERANCE: Final = 1e-9
"""A step that is too large by rounding alone is taken."""


class _Rung(NamedTuple):
    """Where the student stands on the ladder."""

    stage: int
    problems: list[Problem]
    """Of the stage, each with a skill that is not mastered."""
    rest: list[Problem]
    """Without a deficient skill, such as teachers can explain."""
    bar: float
    """The least expected pass rate of a problem that is within a step."""


class LadderPlanner:
    """Teaches the lowest stage that is not mastered, in small steps (IOA, arXiv 2602.12172).

    - A skill with D = (P_T - P_S) / P_T above `gap` is deficient, and stays so until P_S / P_T reaches `mastered`. P_S
      is the student's expected pass rate, P_T the share of the problems asked for which teachers had a verified
      rationale (1 where nobody was asked yet).
    - Stages are the topological generations of the prerequisites. A problem belongs to the latest stage of its
      deficient skills; the lowest stage with such problems is taught until none of its skills is deficient. Problems of
      skills that were taught and still are deficient are its remedial work.
    - Step limit: how hard a problem is says the expected pass rate of its weakest skill, whatever became of this very
      problem: one answer that is right by luck, or wrong, puts nothing within a step or out of it. It is at most `step`
      below that of the hardest problem mastered; where the stage has nothing so near, below that of the stage's
      easiest.

    Lessons that are left open go to problems within a step that need no deficient skill, as review. It teaches fewer
    rather than what is out of reach. What no teacher can explain is neither mastered nor reviewed.
    """

    def __init__(self, gap: float = 0.3, step: float = 0.15, mastered: float = 0.9, fill: bool = True) -> None:
        """Set the thresholds; the defaults are the paper's.

        Args:
            gap: A skill with a larger gap is deficient, in [0, 1).
            step: How much harder than what is mastered a problem may be, as a difference of pass rates in (0, 1].
            mastered: Share of the teachers' pass rate at which a skill is no longer deficient, in (0, 1].
            fill: Whether lessons that are left open go to review.

        Raises:
            InputError: If a value is out of range, or if a skill could be deficient and mastered at once.
        """
        if not 0 <= gap < 1:
            raise InputError(f"planner: gap {gap} is out of range; give a number in [0, 1)")
        if not 0 < step <= 1:
            raise InputError(f"planner: step {step} is out of range; give a number in (0, 1]")
        if not 1 - gap <= mastered <= 1:
            raise InputError(f"planner: mastered {mastered} is out of range; give a number in [1 - gap, 1]")
        self.gap, self.step, self.mastered, self.fill = gap, step, mastered, fill

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, the easiest first."""
        model, generator = LearnerModel.of(request), generator_of(request)
        gaps = self.deficient(request, model)
        rung = self._rung(request, model, gaps)
        within = [problem for problem in rung.problems if model.expected(problem) >= rung.bar - TOLERANCE]
        weights = [max(gaps.get(skill, 0.0) for skill in model.groups(one)) for one in within]
        drawn = weighted_order(within, weights, generator)[: max(request.lessons, 0)]
        drawn.sort(key=lambda problem: -model.predicted(problem))
        tried = _taught_skills(request, model)
        picks = [Pick(one, _reason(one, rung.stage, gaps, tried, model)) for one in drawn]
        if self.fill:
            again = [problem for problem in rung.rest if model.expected(problem) >= rung.bar - TOLERANCE]
            picks += [
                Pick(one, f"review within a step: predicted {model.predicted(one):.2f}")
                for one in edge_order(again, model, generator)
            ]
        return lesson_plan(picks, request, model)

    def deficient(self, request: PlanningRequest, model: LearnerModel) -> dict[str, float]:
        """Return the gap D of each deficient skill; it is deficient from the gap rule until it is mastered."""
        skills = sorted({skill for problem in model.everything for skill in model.groups(problem)} - model.refuted)
        found: set[str] = set()
        gaps: dict[str, float] = {}
        for diagnosis in (*request.earlier, request.diagnosis):
            gaps = _gaps(skills, diagnosis, request.teacher_rates)
            found = {s for s in skills if gaps[s] > self.gap or (s in found and 1 - gaps[s] < self.mastered)}
        return {skill: gaps[skill] for skill in skills if skill in found}

    def _rung(self, request: PlanningRequest, model: LearnerModel, gaps: Mapping[str, float]) -> _Rung:
        stage_of = stages(prerequisite_graph(request.diagnosis.prerequisites, gaps))
        at = {p.id: max(stage_of[s] for s in found) for p in model.pool if (found := _deficient(p, gaps, model))}
        stage = min(at.values(), default=0)
        problems = [problem for problem in model.pool if at.get(problem.id) == stage]
        rates = {p.id: _teacher_rate(p, model, request.teacher_rates) for p in model.pool if p.id not in at}
        rest = [problem for problem in model.pool if rates.get(problem.id, 0.0) > 0]
        mastered = [rate for p in rest if (rate := model.expected(p)) >= self.mastered * rates[p.id]]
        easiest = max(map(model.expected, problems), default=None)
        return _Rung(stage, problems, rest, self._bar(easiest, min(mastered, default=None)))

    def _bar(self, easiest: float | None, hardest: float | None) -> float:
        """Return the least expected pass rate that is within a step.

        Args:
            easiest: That of the stage's easiest problem; None if nothing is deficient.
            hardest: That of the hardest problem mastered; None if nothing is.
        """
        if easiest is None:
            return 0.0
        near = hardest is not None and easiest >= hardest - self.step - TOLERANCE
        return (hardest if near and hardest is not None else easiest) - self.step


def _deficient(problem: Problem, gaps: Mapping[str, float], model: LearnerModel) -> list[str]:
    """Return the deficient skills of a problem."""
    return [skill for skill in model.groups(problem) if skill in gaps]


def _teacher_rate(problem: Problem, model: LearnerModel, rates: Mapping[str, float]) -> float:
    return min(rates.get(skill, 1.0) for skill in model.groups(problem))


def _gaps(skills: Iterable[str], diagnosis: Diagnosis, rates: Mapping[str, float]) -> dict[str, float]:
    """Return D = (P_T - P_S) / P_T by skill; 0 where no teacher is ever right: there is nothing to learn there."""
    means = {mastery.skill: mastery.mean for mastery in diagnosis.mastery}
    teachers = {skill: rates.get(skill, 1.0) for skill in skills}
    return {
        skill: (rate - means.get(skill, diagnosis.accuracy)) / rate if rate > 0 else 0.0
        for skill, rate in teachers.items()
    }


def _taught_skills(request: PlanningRequest, model: LearnerModel) -> set[str]:
    return {s for p in model.everything if request.taught.get(p.id) for s in model.groups(p)}


def _reason(problem: Problem, stage: int, gaps: Mapping[str, float], tried: set[str], model: LearnerModel) -> str:
    worst = max(_deficient(problem, gaps, model), key=lambda skill: (gaps[skill], skill))
    work = "remedial work" if worst in tried else "first work"
    return f"{work} at stage {stage}: {worst or 'untagged'} has a gap of {gaps[worst]:.2f}"
