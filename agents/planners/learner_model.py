"""The learner model: what is expected of the student at each problem, from its diagnosis and attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, Self

from ...schema import Attempt, Diagnosis, Problem
from ...seams import PlanningRequest

PRIOR: Final = 2.0
"""Answers that the mastery of a problem's skills counts for beside its own latest answer."""

UNTAGGED: Final = ""
"""Stands for the skill of problems that have none."""


class LearnerModel:
    """What is believed of the student, looked up by problem and by skill.

    Nothing in it depends on the order in which problems or attempts are given.
    """

    def __init__(self, diagnosis: Diagnosis, problems: Sequence[Problem], attempts: Iterable[Attempt]) -> None:
        """Read a diagnosis, the problems that may be chosen, and the student's attempts at them."""
        self._means = {mastery.skill: mastery.mean for mastery in diagnosis.mastery}
        self._known = {mastery.skill: mastery.known for mastery in diagnosis.mastery}
        self._weakest: dict[str, str | None] = {}
        self.weak = {weakness.name: rank for rank, weakness in reversed([*enumerate(diagnosis.taught)])}
        """The weaknesses that may be taught, each with its place by severity."""
        self.accuracy = diagnosis.accuracy
        self.refuted = {weakness.name for weakness in diagnosis.weaknesses if weakness.refuted}
        """Weaknesses that a test on fresh problems has refuted: nothing is taught for their sake."""
        self.latest = latest_scores(attempts)
        """Mean score of the latest attempts, by problem id."""
        self.by_id = {problem.id: problem for problem in sorted(problems, key=lambda problem: problem.id)}
        self.everything = tuple(self.by_id.values())
        """Each problem once, by id."""
        self._skills = {problem.id: tuple(dict.fromkeys(problem.skills)) for problem in self.everything}

    @classmethod
    def of(cls, request: PlanningRequest) -> Self:
        """Read a planner's request."""
        return cls(request.diagnosis, request.problems, request.attempts)

    @cached_property
    def pool(self) -> list[Problem]:
        """What may be taught: not a problem that needs refuted weaknesses alone. By id."""
        return [p for p in self.everything if not (self.skills(p) and self.refuted.issuperset(self.skills(p)))]

    def skills(self, problem: Problem) -> tuple[str, ...]:
        """Return the skills that a problem needs, each once; none where it has no tags."""
        return self._skills[problem.id]

    def groups(self, problem: Problem) -> tuple[str, ...]:
        """Return the skills that a problem needs, or `UNTAGGED`."""
        return self.skills(problem) or (UNTAGGED,)

    def mastery(self, skill: str) -> float:
        """Return how far a skill is mastered: 0 is guessing, 1 is mastered; the accuracy where it is unknown."""
        return self._known.get(skill, self.accuracy)

    def weakest(self, problem: Problem) -> str | None:
        """Return the problem's skill with the lowest pass rate, of those about which something is known."""
        if problem.id not in self._weakest:
            known = [(self._means[skill], skill) for skill in self.skills(problem) if skill in self._means]
            self._weakest[problem.id] = min(known)[1] if known else None
        return self._weakest[problem.id]

    def expected(self, problem: Problem) -> float:
        """Return the pass rate at a problem of these skills, whatever became of this one."""
        weakest = self.weakest(problem)
        return self.accuracy if weakest is None else self._means[weakest]

    def predicted(self, problem: Problem) -> float:
        """Predict the pass rate at a problem.

        The mastery of its weakest skill (the overall accuracy where it has none); its own latest score, where it has
        one, moves this by as much as one answer should: a single wrong answer does not make a problem hopeless.
        """
        expected = self.expected(problem)
        if problem.id not in self.latest:
            return expected
        return (self.latest[problem.id] + PRIOR * expected) / (1 + PRIOR)

    def weakness(self, problem: Problem) -> str | None:
        """Name the most severe weakness among a problem's skills; never one that was refuted."""
        weak = [skill for skill in self.skills(problem) if skill in self.weak]
        return min(weak, key=self.weak.__getitem__, default=None)


def latest_scores(attempts: Iterable[Attempt]) -> dict[str, float]:
    """Return the mean score of each problem's attempts in the last cycle in which it was attempted."""
    latest: dict[str, tuple[int, list[float]]] = {}
    for attempt in attempts:
        if attempt.problem_id not in latest or attempt.cycle > latest[attempt.problem_id][0]:
            latest[attempt.problem_id] = (attempt.cycle, [])
        cycle, scores = latest[attempt.problem_id]
        if attempt.cycle == cycle:
            scores.append(attempt.score)
    return {problem: sum(sorted(scores)) / len(scores) for problem, (_, scores) in latest.items()}
