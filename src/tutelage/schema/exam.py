"""What a student is asked, and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ..hashing import content_hash
from .record import Record, Unit

BASE = "base"
"""Names the base student where others name a checkpoint."""


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
    CHECK = "check"
    """Held out to test the weaknesses on that were found; nothing else reads it."""
    RETENTION = "retention"
    """Other abilities that the base student has."""


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
