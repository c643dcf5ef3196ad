"""What a student cannot do yet, and which problems it is therefore taught."""

from __future__ import annotations

from pydantic import Field

from .exam import Problem, Split, WrongStep
from .record import Record, Unit


class Mastery(Record):
    """What is believed of one skill: a Beta posterior of its pass rate."""

    skill: str
    alpha: float
    beta: float
    low: Unit = 0.0
    """The pass rate lies between `low` and `high` with 90 % probability."""
    high: Unit = 1.0
    chance: Unit = 0.0
    """The pass rate of somebody who guesses, as at multiple choice."""

    @property
    def mean(self) -> float:
        """The expected pass rate."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def known(self) -> float:
        """The expected pass rate without what guessing gives: 0 is guessing, 1 is mastered."""
        return max(0.0, self.mean - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


class Confirmation(Record):
    """A weakness put to the test: how the student did on fresh problems of its kind."""

    asked: int
    """Answers to fresh problems that tell something of the weakness."""
    passed: float
    """Of these, how many showed no sign of it."""
    confirmed: bool
    """Whether it is more likely than not to be one; a weakness that is not is not taught."""
    probability: Unit | None = None
    """The chance that it is one, from even odds and these answers alone; None if the diagnostician gives none."""
    evidence: tuple[str, ...] = ()
    """Ids of the attempts."""


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
    wrong_step: WrongStep | None = None
    """A first wrong step that shows it, where one is known."""
    confirmation: Confirmation | None = None
    """What a test on fresh problems showed; None if there was none, or too few answers told anything."""

    @property
    def confirmed(self) -> bool | None:
        """Whether it showed again when it was tested; None if that is not known."""
        return None if self.confirmation is None else self.confirmation.confirmed

    @property
    def refuted(self) -> bool:
        """Whether it was tested and did not show again."""
        return self.confirmed is False


class FreshProblem(Record):
    """A problem that a student is asked to test weaknesses on.

    Neither it nor those it came from were taught it, nor asked before, unless it is held out and there was no other.
    """

    problem: Problem
    split: Split
    """`check`, or `train` where a task has no problems to spare."""
    student: str
    weaknesses: tuple[str, ...]
    """Names of those that it is a test of."""


class Skill(Record):
    """A kind of problem that was discovered in a task without tags."""

    name: str
    """The same from cycle to cycle."""
    description: str = ""
    terms: tuple[str, ...] = ()
    """The words that tell it from the others, the most telling first."""
    problem_ids: tuple[str, ...] = ()


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
    prerequisites: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Which skills each skill builds on; no cycle among them."""
    discovered: tuple[Skill, ...] = ()
    """Kinds of problems without tags; they stand for the tags."""

    @property
    def taught(self) -> tuple[Weakness, ...]:
        """The weaknesses that are to be taught: all but those that a test has refuted."""
        return tuple(weakness for weakness in self.weaknesses if not weakness.refuted)


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
