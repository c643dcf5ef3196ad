"""What a person decided of a lesson before it was trained on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from .record import Record

BY_HAND = "by hand"
"""Why a rationale is turned away that a person rejected."""


class ReviewVerdict(StrEnum):
    """What a person decided of a lesson."""

    ACCEPTED = "accepted"
    """It is taught as it was proposed."""
    EDITED = "edited"
    """The person's own text is taught."""
    REPLACED = "replaced"
    """Another verified rationale is taught."""
    REJECTED = "rejected"
    """It is not taught."""


class Review(Record):
    """One decision of a person on one lesson; of several on the same lesson, the last one counts."""

    problem_id: str
    rationale_id: str | None = None
    """That of the lesson as it was proposed; None for the student's own answer."""
    cycle: int
    verdict: ReviewVerdict
    author: str
    time: datetime
    why: str = ""
    """In the person's words; a rejection has it."""
    before: str
    """The text as it was proposed."""
    after: str
    """The text that is taught; empty if none is."""
    taken: str | None = None
    """Id of the verified rationale that is taught instead."""
    objection: str | None = None
    """What the check found wrong with an edited text that is taught all the same."""

    @property
    def title(self) -> str:
        """How the person is named among teachers, as the writer of an edited text."""
        return f"reviewer {self.author}"
