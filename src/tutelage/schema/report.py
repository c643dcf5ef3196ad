"""What a cycle did, what it cost and how it was judged."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .diagnosis import Weakness
from .exam import Split
from .record import Record, Unit


class TrainingReport(Record):
    """What one training stage did."""

    stage: str
    steps: int
    tokens: int
    """Supervised tokens seen, padding and prompts not counted."""
    loss: float
    seconds: float
    metrics: dict[str, float] = Field(default_factory=dict)
    note: str | None = None
    """What a person should know of it, such as why it did nothing."""


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
    replayed: int = 0
    """Problems of earlier cycles that were taught again besides."""
    rejected: dict[str, int] = Field(default_factory=dict)
    critiques: dict[str, int] = Field(default_factory=dict)
    """How often the critic `asked`, `stopped` a lesson, or `failed`."""
    by_hand: dict[str, int] = Field(default_factory=dict)
    """How many lessons a person `accepted`, `edited`, `replaced` or `rejected`."""


class Agreement(Record):
    """How a cycle's student answers what its teachers taught it: like them, and rightly."""

    n: int
    """Problems of the cycle that the student was examined on after it, and that a teacher taught."""
    with_teachers: Unit
    """Share on which its answer is that of the lesson, right or wrong."""
    with_gold: Unit
    """Share of the same problems on which its answer is the gold one."""
    alarm: str | None = None
    """What says that it has moved to its teachers and away from gold by more than chance."""


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
    parent: str
    """The student that it was made from."""
    accuracy: dict[Split, Unit]
    n: dict[Split, int]
    weaknesses: tuple[Weakness, ...] = ()
    lessons: LessonCounts = LessonCounts()
    training: tuple[TrainingReport, ...] = ()
    agreement: Agreement | None = None
    """None where no teacher taught a problem that was asked again."""
    verdict: Verdict
    why: str
    cost: Cost = Cost()
    seconds: dict[str, float] = Field(default_factory=dict)
