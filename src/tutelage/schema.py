"""The vocabulary of Tutelage: what the agents, the trainer and the files say to one another.

Every model is frozen and refuses unknown fields; what is written to a run directory is one of these.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .hashing import content_hash

SCHEMA_VERSION = 1

Unit = Annotated[float, Field(ge=0.0, le=1.0)]


class Split(StrEnum):
    """What a problem may be used for."""

    TRAIN = "train"
    """Taught."""
    PROBE = "probe"
    """Diagnosed; its errors are the history that teachers see."""
    GATE = "gate"
    """Decides whether a cycle is accepted or rolled back."""
    TEST = "test"
    """Reported only: no agent, selection or stopping rule reads it."""
    RETENTION = "retention"
    """Other abilities that the base student has."""


class Record(BaseModel):
    """Base of everything in this module: immutable, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Record):
    """A question with a gold answer."""

    id: str = ""
    """Hash of question and answer, unless the data set brings its own."""
    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    skills: tuple[str, ...] = ()
    reference: str | None = None
    """The data set's own rationale, where it has one."""
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _name_by_content(self) -> Self:
        if not self.id:
            object.__setattr__(self, "id", content_hash(self.question, self.answer))
        return self


class Grade(NamedTuple):
    """What a task says of one answer text."""

    answer: str | None
    """The final answer found in the text; None if there is none."""
    score: float
    """0 is wrong, 1 is right; tasks with partial credit give what lies between."""


class WrongStep(Record):
    """The first step of a text that does not hold."""

    kind: str
    """`equation`, `answer`, `format`, ...: what is wrong with it."""
    start: int
    """Character offset into the text where the step begins."""
    end: int
    expected: str
    found: str
    skill: str | None = None
    """The skill this step needs, such as `subtraction with borrow`, where it can be told."""


class Attempt(Record):
    """One answer of the student to one problem."""

    id: str
    problem_id: str
    split: Split
    cycle: int
    student: str
    """The checkpoint that answered: `base` or a path below the run directory."""
    sample: int = 0
    text: str
    answer: str | None
    score: Unit
    correct: bool
    logprob: float
    """Mean log-probability per generated token."""
    tokens: int
    finish_reason: Literal["stop", "length"]
    wrong_step: WrongStep | None = None


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


class LessonPlan(Record):
    """Which problems are taught in a cycle, in what order, by whom and why."""

    cycle: int
    assignments: tuple[Assignment, ...]
    budget: dict[str, float] = Field(default_factory=dict)


class RecalledError(Record):
    """A past error like this one, and what became of it."""

    id: str
    problem_id: str
    question: str
    attempt: str
    wrong_step: WrongStep | None = None
    taught: str | None = None
    """The rationale that was taught for it, if any."""
    fixed: bool | None = None
    """Whether the student was right afterwards; None if not examined since."""
    similarity: float = 0.0


class EarlierRationale(Record):
    """A teacher's own earlier text for the same problem, and what came of it."""

    rationale_id: str
    cycle: int
    text: str
    rejected: str | None = None
    """Why it did not become a lesson, if it did not."""
    student_correct: bool | None = None
    """Whether the student was right after it was taught; None if not examined since."""


class TeachingRequest(Record):
    """All that a teacher gets to write one rationale."""

    problem: Problem
    attempts: tuple[Attempt, ...] = ()
    """The student's failed answers to this problem, the latest first."""
    weakness: Weakness | None = None
    weak_skills: tuple[str, ...] = ()
    """Every weakness that is taught this cycle, so that one kind of step is explained alike in every problem."""
    persistent: tuple[str, ...] = ()
    """Those of them that were taught in an earlier accepted cycle and still fail more often than not: explain them
    otherwise."""
    recalled: tuple[RecalledError, ...] = ()
    earlier: tuple[EarlierRationale, ...] = ()
    history: tuple[Attempt, ...] = ()
    """Errors on the probe split."""
    cycle: int = 1


class Rationale(Record):
    """A worked solution written by a teacher."""

    id: str = ""
    problem_id: str = ""
    teacher: str = ""
    cycle: int = 0
    text: str
    answer: str | None = None
    revision: int = 0
    parent_id: str | None = None
    conditioned_on: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Ids of what the teacher saw: `attempts`, `recalled`, `earlier`, `history`, `weakness`."""
    verified: bool = False
    rejected: str | None = None
    """Why it was rejected, in a word that is counted; None if it was verified."""
    wrong_step: WrongStep | None = None
    scores: dict[str, float] = Field(default_factory=dict)


class Lesson(Record):
    """The one target that is trained on for a problem in a cycle."""

    problem_id: str
    cycle: int
    question: str
    text: str
    origin: str
    """The teacher's name, `student` for its own right answer, or `replay`."""
    rationale_id: str | None = None
    weight: float = 1.0
    system: str | None = None
    """The instruction the student is trained under, the one it is examined under."""
    answer: str = ""
    chosen_over: tuple[str, ...] = ()
    """Ids of the verified rationales that were not chosen."""


class TrainingReport(Record):
    """What one training stage did."""

    stage: str
    steps: int
    tokens: int
    """Supervised tokens seen, padding and prompts not counted."""
    loss: float
    seconds: float
    metrics: dict[str, float] = Field(default_factory=dict)


class Cost(Record):
    """What the model calls of a cycle cost."""

    calls: int = 0
    cached_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0


class LessonCounts(Record):
    """Where the lessons of a cycle came from, and why rationales were turned away."""

    taught: int = 0
    from_student: int = 0
    from_teachers: int = 0
    rejected: dict[str, int] = Field(default_factory=dict)


class Verdict(StrEnum):
    """What the gate decided of a cycle."""

    BASELINE = "baseline"
    ACCEPTED = "accepted"
    ROLLED_BACK = "rolled_back"


class CycleReport(Record):
    """One row of the table that `tutelage show` prints."""

    cycle: int
    student: str
    """The checkpoint this cycle made (for cycle 0: `base`)."""
    accuracy: dict[Split, Unit]
    n: dict[Split, int]
    weaknesses: tuple[Weakness, ...] = ()
    lessons: LessonCounts = LessonCounts()
    training: tuple[TrainingReport, ...] = ()
    verdict: Verdict
    why: str
    cost: Cost = Cost()
    seconds: dict[str, float] = Field(default_factory=dict)
