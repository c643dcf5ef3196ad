"""Mix the skills by how far the student is behind its teachers, smoothly from cycle to cycle (DDK)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from ...errors import InputError
from ...schema import Diagnosis, LessonPlan
from ...seams import PlanningRequest
from .allocation import allocate, by_skill
from .draft import Pick, lesson_plan
from .draw import generator_of, weighted_order
from .learner_model import LearnerModel


class GapMixPlanner:
    """Gives each skill a share of the lessons by softmax of its teacher-student gap, smoothed (DDK).

    r = softmax(max(P_T - P_S, 0) / temperature) over the skills; the mix of a cycle is smoothing x the mix of the cycle
    before + (1 - smoothing) x r, so that it does not swing (arXiv 2407.16154, domain discrepancy factor and factor
    smooth updating; its gap is one of cross-entropies, this one is of pass rates). The mixes before are worked out
    again from the earlier diagnoses. Within a skill problems are drawn evenly.
    """

    def __init__(self, temperature: float = 0.25, smoothing: float = 0.5) -> None:
        """Set how sharp and how steady the mix is.

        Args:
            temperature: Of the softmax, in pass rate: a gap larger by this much gets e times the share.
            smoothing: Weight of the mix of the cycle before, in [0, 1).

        Raises:
            InputError: If a value is out of range.
        """
        if not 0.01 <= temperature < float("inf"):
            raise InputError(f"planner: temperature {temperature} is out of range; give at least 0.01")
        if not 0 <= smoothing < 1:
            raise InputError(f"planner: smoothing {smoothing} is out of range; give a number in [0, 1)")
        self.temperature, self.smoothing = temperature, smoothing

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return up to `request.lessons` assignments, in the order in which they were drawn."""
        model = LearnerModel.of(request)
        pool = model.pool
        drawn = weighted_order(pool, [1.0] * len(pool), generator_of(request))
        ranked = by_skill(drawn, model.groups)
        skills = sorted(set(ranked) - model.refuted)
        shares = self.mix(skills, (*request.earlier, request.diagnosis), request.teacher_rates)
        gaps = dict(zip(skills, _gaps(skills, request.diagnosis, request.teacher_rates), strict=True))
        reasons = {
            problem.id: f"share {shares[skill]:.2f} for {skill or 'untagged'}, gap {gaps[skill]:.2f}"
            for skill, problems in allocate(shares, ranked, request.lessons).items()
            for problem in problems
        }
        return lesson_plan([Pick(one, reasons[one.id]) for one in drawn if one.id in reasons], request, model)

    def mix(
        self, skills: Sequence[str], diagnoses: Sequence[Diagnosis], rates: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the share of each skill, positive and 1 in sum, the largest first.

        Args:
            skills: All that get a share.
            diagnoses: Oldest first, the current one last.
            rates: The teachers' pass rates; 1 where a skill is not in it.
        """
        if not skills:
            return {}
        mixes = [softmax(_gaps(skills, diagnosis, rates) / self.temperature) for diagnosis in diagnoses]
        mix = mixes[0]
        for newer in mixes[1:]:
            mix = self.smoothing * mix + (1 - self.smoothing) * newer
        shares = zip(skills, np.maximum(mix, np.finfo(float).tiny).tolist(), strict=True)
        return dict(sorted(shares, key=lambda pair: (-pair[1], pair[0])))


def _gaps(skills: Sequence[str], diagnosis: Diagnosis, rates: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Return max(P_T - P_S, 0) of each skill."""
    means = {mastery.skill: mastery.mean for mastery in diagnosis.mastery}
    return np.array([max(rates.get(skill, 1.0) - means.get(skill, diagnosis.accuracy), 0.0) for skill in skills])
