"""Who picks the problems that are taught in a cycle, and what it goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..schema import Attempt, Diagnosis, LessonPlan, Problem


@dataclass(frozen=True)
class Outcome:
    """What became of explaining one problem once."""

    problem_id: str
    tokens: int
    """Length of all that teachers wrote for it, rejected drafts included, in the student's tokens."""
    right: bool | None
    """Whether the student that was trained on it then answered right; None if it was not examined."""


@dataclass(frozen=True)
class PlanningRequest:
    """All that a planner gets."""

    cycle: int
    diagnosis: Diagnosis
    problems: Sequence[Problem]
    """The train split."""
    attempts: Sequence[Attempt]
    """This student's attempts at train problems, oldest first."""
    taught: Mapping[str, int]
    """How often each train problem was taught to this student and to those it came from."""
    teachers: tuple[str, ...]
    lessons: int
    """How many problems may be taught."""
    seed: int
    outcomes: Sequence[Outcome] = ()
    """What became of the explanations given to this student and to those it came from, oldest first."""
    tokens: int | None = None
    """What teachers may write in all, in the student's tokens; None is no limit."""
    teacher_rates: Mapping[str, float] = field(default_factory=dict)
    """By skill, the share of the problems that need it for which some teacher had a verified rationale so far; a skill
    that nobody was asked about is not in it."""
    earlier: Sequence[Diagnosis] = ()
    """The diagnoses, before this one, of this student and of those it came from, oldest first."""
    earlier_attempts: Sequence[Attempt] = ()
    """Attempts at train problems of the students that this one came from, oldest first."""


@runtime_checkable
class Planner(Protocol):
    """Picks the problems that are taught in a cycle."""

    def plan(self, request: PlanningRequest) -> LessonPlan:
        """Return at most `request.lessons` assignments, in teaching order."""
        ...
