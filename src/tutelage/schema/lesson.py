"""What a teacher is asked, what it writes, and what the student is trained on."""

from __future__ import annotations

from pydantic import Field

from .diagnosis import Weakness
from .exam import Attempt, Problem, WrongStep
from .record import Record

TOO_LONG = "too long"
"""Why a rationale is turned away that the student could not write itself."""
REHEARSED = "replay"
"""The origin of the base student's own answers to general questions."""
NO_STEP = "no step"
"""Why a rationale is turned away that gives the answer away without a step."""


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
    helped: int = 0
    """Of the `tried` times, after how many the student was right."""
    tried: int = 0
    """How often this explanation or one like it was taught for errors like this one."""
    similarity: float = 0.0


class EarlierRationale(Record):
    """A teacher's own earlier text for the same problem, and what came of it."""

    rationale_id: str
    cycle: int
    text: str
    rejected: str | None = None
    """Why it did not become a lesson, if it did not."""
    question: str | None = None
    """What the critic asked about it, if it did."""
    after: Attempt | None = None
    """What the student answered to this problem after it was taught; None if not examined since."""

    @property
    def student_correct(self) -> bool | None:
        """Whether the student was right after it was taught; None if not examined since."""
        return None if self.after is None else self.after.correct


class ProbeError(Record):
    """A wrong answer of the student on the probe split, with the question: what it gets wrong elsewhere."""

    problem: Problem
    attempt: Attempt


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
    history: tuple[ProbeError, ...] = ()
    """Errors on the probe split, the most informative for this problem first, within a token budget."""
    cycle: int = 1
    draft: int = 0
    """Which of several rationales for this problem is asked for (`teach.drafts`), from 0: each in another way."""
    max_tokens: int | None = None
    """Tokens of the student that its answers may have; a longer rationale is turned away. None if that is not known."""


class Rationale(Record):
    """A worked solution written by a teacher."""

    id: str = ""
    problem_id: str = ""
    teacher: str = ""
    cycle: int = 0
    text: str
    answer: str | None = None
    draft: int = 0
    """Which of the teacher's drafts for the problem it is."""
    revision: int = 0
    """How often this draft was written again."""
    parent_id: str | None = None
    conditioned_on: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Ids of what the teacher saw: `attempts`, `recalled`, `earlier`, `history`, `weakness`."""
    verified: bool = False
    rejected: str | None = None
    """Why it was rejected, in a word that is counted; None if it was verified."""
    wrong_step: WrongStep | None = None
    critique: str | None = None
    """What the critic asked about it, or its stop signal; None if it was not asked or failed."""
    critic_failure: str | None = None
    """Why the critic asked nothing, where it failed."""
    scores: dict[str, float] = Field(default_factory=dict)


class Lesson(Record):
    """A target that is trained on for a problem in a cycle, mostly the only one."""

    problem_id: str
    cycle: int
    question: str
    text: str
    origin: str
    """The teacher's name, `student` for its own right answer, `purifier NAME` or `reviewer NAME` for a text of their
    own, or `replay`."""
    rationale_id: str | None = None
    weight: float = 1.0
    system: str | None = None
    """The instruction the student is trained under, the one it is examined under."""
    answer: str = ""
    wrong: str = ""
    """The student's own wrong attempt, the latest, where it had one."""
    chosen_over: tuple[str, ...] = ()
    """Ids of the verified rationales that are not taught."""

    @property
    def rehearsed(self) -> bool:
        """Whether it is the base student's own answer to a general question, which is kept rather than taught.

        A lesson of an earlier cycle that is taught again is none: it has its own origin, and its `cycle` is past.
        """
        return self.origin == REHEARSED
