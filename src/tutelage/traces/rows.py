"""What a run has written of its problems, cycle by cycle: of one problem, or of all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from .. import jsonl
from ..lineage import checkpoint_of
from ..rundir import RunDir
from ..schema import Assignment, Attempt, Decision, Diagnosis, Lesson, LessonPlan, Rationale, Review, Skill, Strategy


class OfProblem(Protocol):
    """A row that belongs to a problem."""

    @property
    def problem_id(self) -> str:
        """The problem's id."""
        ...


R = TypeVar("R", bound=OfProblem)
T = TypeVar("T")
ByProblem = dict[str, list[T]]


@dataclass(frozen=True)
class CycleRows:
    """What one cycle has written, each kind of row by its problem."""

    cycle: int
    candidate: str
    """The student that the cycle trained, or would have."""
    attempts: ByProblem[Attempt]
    rationales: ByProblem[Rationale]
    decisions: ByProblem[Decision]
    lessons: ByProblem[Lesson]
    proposals: ByProblem[Lesson]
    """Lessons as they were proposed to a person; those that were decided on are among `lessons` too."""
    reviews: ByProblem[Review]
    assignments: ByProblem[Assignment]
    diagnosis: Diagnosis | None
    strategies: tuple[Strategy, ...]

    @cached_property
    def kinds(self) -> ByProblem[Skill]:
        """The kinds of problems that were discovered, by the problems that are of them."""
        found: ByProblem[Skill] = defaultdict(list)
        for skill in self.diagnosis.discovered if self.diagnosis else ():
            for problem_id in skill.problem_ids:
                found[problem_id].append(skill)
        return found


def read_cycle(rundir: RunDir, cycle: int, of: str | None = None) -> CycleRows:
    """Read a cycle's rows, all of them or those of one problem by its id."""
    plan = rundir.plan(cycle) or LessonPlan(cycle=cycle, assignments=())
    return CycleRows(
        cycle=cycle,
        candidate=checkpoint_of(cycle),
        attempts=_by_problem(rundir.attempts(cycle, of)),
        rationales=_by_problem(rundir.rationales(cycle, of)),
        decisions=_by_problem(rundir.decisions(cycle, of)),
        lessons=_by_problem(rundir.lessons(cycle, of)),
        proposals=_by_problem(rundir.proposals(cycle, of) or ()),
        reviews=_by_problem(rundir.reviews(cycle, of)),
        assignments=_by_problem(plan.assignments),
        diagnosis=rundir.diagnosis(cycle),
        strategies=tuple(one for one in rundir.strategies(cycle) or () if one.cycle == cycle),
    )


def _by_problem(rows: Iterable[R]) -> ByProblem[R]:
    found: ByProblem[R] = defaultdict(list)
    for row in rows:
        found[row.problem_id].append(row)
    return found


def cycles_of(rundir: RunDir) -> range:
    """Return the cycles that may have rows: those reported, and the one that may be under way."""
    return range(max((report.cycle for report in rundir.reports()), default=0) + 2)


class Journal:
    """The error journal of a run, read when somebody asks for it."""

    def __init__(self, rundir: RunDir) -> None:
        """Point at the journal of a run."""
        self._path = rundir.memory / "errors.jsonl"

    @cached_property
    def errors(self) -> dict[str, dict[str, Any]]:
        """Each error by its id."""
        return {row["id"]: row for row in jsonl.read(self._path) if row.get("kind") == "error"}

    @cached_property
    def _outcomes(self) -> dict[str, list[dict[str, Any]]]:
        found = defaultdict(list)
        for row in jsonl.read(self._path):
            if row.get("kind") == "outcome":
                found[row["error_id"]].append(row)
        return found

    def fate(self, error_id: str, cycle: int) -> dict[str, Any] | None:
        """Return what was known of an error while a cycle taught: what had fixed it, or the latest try.

        A teacher may have been told less: memory is silent on a fix of something else, or one that helps seldom.
        """
        known = [row for row in self._outcomes.get(error_id, ()) if row["cycle"] < cycle]
        return next((row for row in reversed(known) if row["fixed"]), known[-1] if known else None)
