"""What was decided between several rationales, and by what."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .exam import Problem
from .lesson import Rationale
from .record import Record

Conflict = Literal["answers", "steps"]
"""Rationales of a problem end on different answers, or agree on the answer but one has a wrong step."""


class Decision(Record):
    """Which of a problem's rationales are taught in a cycle."""

    problem_id: str
    cycle: int
    purifier: str
    """Its name in the configuration, or its class if it was given from Python."""
    candidates: tuple[str, ...]
    """Ids of the verified rationales."""
    scores: dict[str, float] = Field(default_factory=dict)
    """What the purifier chose by, by a rationale's id."""
    chosen: tuple[str, ...]
    """Ids of the rationales that are taught, unless a person decides otherwise."""
    conflict: Conflict | None = None
    """What the problem's rationales, those that were turned away included, disagree in."""
    fallback: str | None = None
    """Why the purifier went by something simpler than its own rule."""


class Purified(Record):
    """What a purifier made of the verified rationales of one problem."""

    rationales: tuple[Rationale, ...]
    """What is taught: of those given, or with a text of its own, which is judged as a teacher's is. Several share the
    problem's weight."""
    scores: dict[str, float] = Field(default_factory=dict)
    """What it chose by, by a rationale's id; empty if there are none."""
    fallback: str | None = None
    """Why it went by something simpler than its own rule."""


class Evidence(Record):
    """What is known of a teacher's rationale for a problem: what purifiers that learn are fitted on."""

    problem: Problem
    teacher: str
    text: str
    """Empty where the teacher declined, or returned nothing."""
    verified: bool
    """Whether it passed the check."""
    wrong_step: bool = False
    """Whether a step of it was found wrong, which `teach.check: answer` lets pass."""
    fixed: bool | None = None
    """Whether the student that was trained on it then answered right; None if it was not, was not examined, or was
    rolled back. It says as much of the student as of the rationale: who was not taught cannot fail by it."""
    scores: dict[str, float] = Field(default_factory=dict)
    """What it was given before it was taught, such as `learnability`."""
    cycle: int = 0
    taught: bool = False
    """Whether it was a lesson of its cycle."""

    @property
    def right(self) -> bool:
        """Whether it passed the check and no step of it was found wrong."""
        return self.verified and not self.wrong_step
