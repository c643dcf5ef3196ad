"""All problems of a run on one row each: how the students did on them, who wrote for them, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ..error_patterns import PATTERNS, shows
from ..lineage import cycle_of
from ..rundir import RunDir
from ..schema import Attempt, Diagnosis, Problem, Split
from .find import Problems, every_problem
from .rows import CycleRows, cycles_of, read_cycle

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
    """The weaknesses that it belongs to, was taught for, or was answered with by the student that has them."""

    def moved(self, before: int, after: int) -> float:
        """Return by how much the share of right answers rose between two cycles; 0 if one was not asked."""
        both = before in self.right and after in self.right
        return self.right[after] - self.right[before] if both else 0.0


def read_problems(rundir: RunDir) -> list[ProblemRow]:
    """Return every problem of a run, in the order of `problems.jsonl`, those drawn to test weaknesses last."""
    return problem_rows(every_problem(rundir), (read_cycle(rundir, cycle) for cycle in cycles_of(rundir)))


def problem_rows(problems: Problems, cycles: Iterable[CycleRows]) -> list[ProblemRow]:
    """Return a row for each problem, in their order, from what each cycle has written of them."""
    found = _Found()
    for rows in cycles:
        found.add(rows)
    found.name_weaknesses()
    weak = {weakness.name for diagnosis in found.diagnoses for weakness in diagnosis.weaknesses}
    skills = skills_by_problem(problems, found.diagnoses)
    return [found.row(split, problem, skills[id_], weak) for id_, (split, problem) in problems.items()]


class _Found:
    """What the cycles of a run have written, by problem."""

    def __init__(self) -> None:
        self.diagnoses: list[Diagnosis] = []
        self.named = defaultdict[str, list[str]](list)
        self._problem_of: dict[str, str] = {}
        self._showing = defaultdict[tuple[str, str], list[str]](list)
        self._right = defaultdict[str, dict[int, list[bool]]](lambda: defaultdict(list))
        self._taught = defaultdict[str, list[int]](list)
        self._teachers, self._verdicts = (defaultdict[str, list[str]](list) for _ in range(2))

    def add(self, rows: CycleRows) -> None:
        """Add what a cycle has written; nothing of the texts is kept."""
        if rows.diagnosis:
            self.diagnoses.append(rows.diagnosis)
        for attempt in (one for some in rows.attempts.values() for one in some):
            self._problem_of[attempt.id] = attempt.problem_id
            for name in shown_by(attempt):
                self._showing[attempt.student, name].append(attempt.problem_id)
            if (made_in := cycle_of(attempt.student)) is not None:
                self._right[attempt.problem_id][made_in].append(attempt.correct)
        for id_, lessons in rows.lessons.items():
            self._taught[id_] += [rows.cycle] * bool(lessons)
        for id_, rationales in rows.rationales.items():
            self._teachers[id_] += [one.teacher for one in rationales]
            self._verdicts[id_] += [one.rejected or VERIFIED for one in rationales]
        for id_, assignments in rows.assignments.items():
            self.named[id_] += [one.weakness for one in assignments if one.weakness]

    def name_weaknesses(self) -> None:
        """Name each weakness at the problems at which the student that has it showed it.

        What a diagnosis gives as evidence is no more than a few of them, but of some weaknesses nothing else tells.
        """
        for diagnosis in self.diagnoses:
            for weakness in diagnosis.weaknesses:
                evidence = [self._problem_of[one] for one in weakness.evidence if one in self._problem_of]
                for id_ in dict.fromkeys([*evidence, *self._showing.get((diagnosis.student, weakness.name), ())]):
                    self.named[id_].append(weakness.name)

    def row(self, split: Split, problem: Problem, skills: tuple[str, ...], weak: AbstractSet[str]) -> ProblemRow:
        """Return the row of a problem; `weak` names the weaknesses that were found."""
        id_ = problem.id
        return ProblemRow(
            id=id_,
            split=split,
            question=problem.question,
            answer=problem.answer,
            skills=skills,
            right={cycle: sum(some) / len(some) for cycle, some in sorted(self._right.get(id_, {}).items())},
            taught=tuple(self._taught.get(id_, ())),
            teachers=tuple(dict.fromkeys(self._teachers.get(id_, ()))),
            verdicts=tuple(dict.fromkeys(self._verdicts.get(id_, ()))),
            weaknesses=tuple(dict.fromkeys([*(one for one in skills if one in weak), *self.named.get(id_, ())])),
        )


def shown_by(attempt: Attempt) -> list[str]:
    """Return the weaknesses that a failed attempt shows, if its student has them: error patterns, and a step's skill.

    By the rule that a diagnosis goes by. Error patterns that are discovered by their words are not told by one attempt.
    """
    if attempt.correct:
        return []
    skill = attempt.wrong_step.skill if attempt.wrong_step else None
    return [*(name for kind, (name, _) in PATTERNS.items() if shows(attempt, kind)), *([skill] if skill else [])]


def skills_by_problem(problems: Problems, diagnoses: Iterable[Diagnosis]) -> dict[str, tuple[str, ...]]:
    """Return the tags of each problem, or where it has none the kind that was last discovered for it."""
    kinds = {id_: (skill.name,) for one in diagnoses for skill in one.discovered for id_ in skill.problem_ids}
    return {id_: problem.skills or kinds.get(id_, ()) for id_, (_, problem) in problems.items()}
