"""What a planner is told of a student's line: what explaining came to, what teachers know, what was found before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..schema import BASE, Attempt, CycleReport, Diagnosis, Problem, Split
from ..seams import Outcome
from .context import RunContext


class Past(NamedTuple):
    """What the cycles that made a student have left in the run directory."""

    context: RunContext
    line: Sequence[CycleReport]
    """Its lineage, oldest first."""

    @property
    def students(self) -> list[str]:
        """The students of the line, the base first, the current one last."""
        return [BASE, *(report.student for report in self.line)]

    def outcomes(self) -> list[Outcome]:
        """Return what became of each explanation; the student's own answers are none."""
        found = []
        for report in self.line:
            rundir, tokens = self.context.rundir, Counter[str]()
            for rationale in rundir.rationales(report.cycle):
                tokens[rationale.problem_id] += self.context.count_tokens(rationale.text)
            attempts = rundir.attempts(report.cycle)
            right = {a.problem_id: a.correct for a in attempts if a.student == report.student and a.sample == 0}
            lessons = [lesson for lesson in rundir.lessons(report.cycle) if lesson.rationale_id]
            explained = dict.fromkeys(lesson.problem_id for lesson in lessons)  # once, by however many rationales
            found += [Outcome(problem, tokens[problem], right.get(problem)) for problem in explained]
        return found

    def diagnoses(self, cycle: int) -> list[Diagnosis]:
        """Return the diagnoses of the line's students before a cycle, oldest first."""
        known = set(self.students)
        return [d for c in range(1, cycle) if (d := self.context.rundir.diagnosis(c)) and d.student in known]

    def attempts(self, cycle: int) -> list[Attempt]:
        """Return the attempts of the students before the current one at train problems, oldest first."""
        everything = [attempt for c in range(cycle + 1) for attempt in self.context.rundir.attempts(c)]
        place = {student: number for number, student in enumerate(self.students[:-1])}
        found = [a for a in everything if a.split is Split.TRAIN and a.student in place]
        return sorted(found, key=lambda a: (a.cycle, place[a.student]))

    def teacher_rates(self, problems: Sequence[Problem]) -> dict[str, float]:
        """Return, by skill, the share of the problems asked for which some teacher had a verified rationale.

        Args:
            problems: The train split, with its skills.
        """
        verified: dict[str, bool] = {}
        for report in self.line:
            for rationale in self.context.rundir.rationales(report.cycle):
                problem_id = rationale.problem_id
                verified[problem_id] = verified.get(problem_id, False) or rationale.verified
        asked, known = Counter[str](), Counter[str]()
        for problem in problems:
            if problem.id in verified:
                skills = set(problem.skills)
                asked.update(skills)
                known.update(skills if verified[problem.id] else ())
        return {skill: known[skill] / asked[skill] for skill in sorted(asked)}
