"""What a student cannot do yet, and which problems it is therefore taught."""

from __future__ import annotations

from pydantic import Field

from .record import Record, Unit


class Mastery(Record):
    """What is believed of one skill: a Beta posterior of its pass rate."""

    skill: str
    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """The expected pass rate."""
        return self.alpha / (self.alpha + self.beta)


class Weakness(Record):
    """A skill or error pattern in which the student falls short."""

    name: str
    description: str = ""
    pass_rate: Unit
    support: int
    """Attempts that this figure rests on."""
    severity: float
    """Share of all attempts that fail here: what is lost to this weakness, in [0, 1]."""
    evidence: tuple[str, ...] = ()
    """Ids of failed attempts, the most telling first."""


class Diagnosis(Record):
    """What the student cannot do yet, at one cycle and one checkpoint."""

    cycle: int
    student: str
    accuracy: Unit
    weaknesses: tuple[Weakness, ...]
    """The most severe first."""
    mastery: tuple[Mastery, ...]
    errors: dict[str, int] = Field(default_factory=dict)
    """Failed attempts by kind of their first wrong step."""


class Assignment(Record):
    """One problem of a lesson plan."""

    problem_id: str
    teachers: tuple[str, ...]
    weakness: str | None = None
    """The weakness that this problem is taught for."""
    weight: float = 1.0
    reason: str = ""
    scores: dict[str, float] = Field(default_factory=dict)
    """What the teachers were chosen by, where a purifier routes: their chances of being right."""

    @property
    def routed(self) -> bool:
        """Whether a purifier chose the one teacher that is asked; where it has nothing to say, the next best is."""
        return len(self.teachers) == 1 and bool(self.scores)


class LessonPlan(Record):
    """Which problems are taught in a cycle, in what order, by whom and why."""

    cycle: int
    assignments: tuple[Assignment, ...]
    budget: dict[str, float] = Field(default_factory=dict)
