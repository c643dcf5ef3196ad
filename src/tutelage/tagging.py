"""Tags that were discovered stand for those that a task does not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .schema import Problem, Skill


def tagged(problems: Iterable[Problem], discovered: Sequence[Skill]) -> list[Problem]:
    """Return the problems, those without tags under the skill that was discovered for them, if there is one."""
    skill_of = {id_: skill.name for skill in discovered for id_ in skill.problem_ids}
    return [
        problem.model_copy(update={"skills": (skill_of[problem.id],)})
        if not problem.skills and problem.id in skill_of
        else problem
        for problem in problems
    ]
