"""All problems of a run on one row each: how the students did on them, who wrote for them, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ..rundir import RunDir
from ..schema import BASE, Diagnosis, Split
from .find import Problems, every_problem
from .rows import cycles_of

VERIFIED = "verified"
"""The verdict on a rationale that passed its check; of another it is why it was turned away."""


@dataclass(frozen=True)
class ProblemRow:
    """One problem in a run."""

    id: str
    split: Split
    question: str
    answer: str
    skills: tuple[str, ...]
    """Its tags, or the kind that was discovered for it."""
    right: dict[int, float]
    """The share of right answers by the student of each cycle that was asked; cycle 0 is the base student."""
    taught: tuple[int, ...]
    """The cycles in which it was a lesson."""
    teachers: tuple[str, ...]
    """Who wrote for it, in the order of their first rationale."""
    verdicts: tuple[str, ...]
    """What the checks said of the rationales for it, each once."""
    weaknesses: tuple[str, ...]
    """The weaknesses that it belongs to or was taught for."""

    def moved(self, before: int, after: int) -> float:
        """Return by how much the share of right answers rose between two cycles; 0 if one was not asked."""
        both = before in self.right and after in self.right
        return self.right[after] - self.right[before] if both else 0.0


def read_problems(rundir: RunDir, problems: Problems | None = None) -> list[ProblemRow]:
    """Return every problem of a run, in the order of `problems.jsonl`, those drawn to test weaknesses last.

    Args:
        rundir: The run.
        problems: What `every_problem` has returned, if that was asked already.
    """
    problems = every_problem(rundir) if problems is None else problems
    right, problem_of = _answers(rundir)
    taught, teachers, verdicts = _teaching(rundir)
    diagnoses = [found for cycle in cycles_of(rundir) if (found := rundir.diagnosis(cycle))]
    weak = {weakness.name for diagnosis in diagnoses for weakness in diagnosis.weaknesses}
    skills_of, named = skills_by_problem(problems, diagnoses), _taught_for(rundir)
    for weakness in (weakness for diagnosis in diagnoses for weakness in diagnosis.weaknesses):
        for attempt in weakness.evidence:  # some weaknesses are no skill, but a kind of error
            if attempt in problem_of:
                named[problem_of[attempt]].append(weakness.name)
    rows = []
    for id_, (split, problem) in problems.items():
        skills = skills_of[id_]
        row = ProblemRow(
            id=id_,
            split=split,
            question=problem.question,
            answer=problem.answer,
            skills=skills,
            right={cycle: sum(grades) / len(grades) for cycle, grades in sorted(right.get(id_, {}).items())},
            taught=tuple(dict.fromkeys(taught.get(id_, ()))),
            teachers=tuple(dict.fromkeys(teachers.get(id_, ()))),
            verdicts=tuple(dict.fromkeys(verdicts.get(id_, ()))),
            weaknesses=tuple(dict.fromkeys([*(skill for skill in skills if skill in weak), *named.get(id_, ())])),
        )
        rows.append(row)
    return rows


def cycle_of_student(rundir: RunDir) -> dict[str, int]:
    """Return which cycle made each student; the base student is that of cycle 0."""
    return {BASE: 0} | {f"checkpoints/cycle-{cycle:03d}": cycle for cycle in cycles_of(rundir)}


def _answers(rundir: RunDir) -> tuple[dict[str, dict[int, list[bool]]], dict[str, str]]:
    """Return by problem and by the cycle of the student whether each answer was right, and the problem of each."""
    made_by = cycle_of_student(rundir)
    found: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    problem_of = {}
    for attempt in (one for cycle in cycles_of(rundir) for one in rundir.attempts(cycle)):
        problem_of[attempt.id] = attempt.problem_id
        if attempt.student in made_by:
            found[attempt.problem_id][made_by[attempt.student]].append(attempt.correct)
    return found, problem_of


def _teaching(rundir: RunDir) -> tuple[dict[str, list[int]], dict[str, list[str]], dict[str, list[str]]]:
    """Return by problem the cycles it was taught in, who wrote for it, and what the checks said."""
    taught, teachers, verdicts = defaultdict(list), defaultdict(list), defaultdict(list)
    for cycle in cycles_of(rundir):
        for lesson in rundir.lessons(cycle):
            taught[lesson.problem_id].append(cycle)
        for rationale in rundir.rationales(cycle):
            teachers[rationale.problem_id].append(rationale.teacher)
            verdicts[rationale.problem_id].append(rationale.rejected or VERIFIED)
    return taught, teachers, verdicts


def skills_by_problem(problems: Problems, diagnoses: Iterable[Diagnosis]) -> dict[str, tuple[str, ...]]:
    """Return the tags of each problem, or where it has none the kind that was last discovered for it."""
    kinds = {id_: (skill.name,) for one in diagnoses for skill in one.discovered for id_ in skill.problem_ids}
    return {id_: problem.skills or kinds.get(id_, ()) for id_, (_, problem) in problems.items()}


def _taught_for(rundir: RunDir) -> dict[str, list[str]]:
    """Return by problem the weaknesses that it was taught for."""
    named = defaultdict(list)
    for plan in (rundir.plan(cycle) for cycle in cycles_of(rundir)):
        for assignment in plan.assignments if plan else ():
            if assignment.weakness:
                named[assignment.problem_id].append(assignment.weakness)
    return named
