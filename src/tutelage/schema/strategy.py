"""Strategies: what a student is told to do about a weakness when it is asked, rather than trained to."""

from __future__ import annotations

from pydantic import Field

from .diagnosis import Weakness
from .lesson import Lesson
from .record import Count, Record, Unit


class StrategyRequest(Record):
    """What a teacher gets to write one strategy."""

    weakness: Weakness
    lessons: tuple[Lesson, ...]
    """Verified lessons of problems that have it, the shortest first; at least one."""
    failed: tuple[str, ...] = ()
    """Earlier strategies for this weakness, which did not help."""
    cycle: int = 1


class Strategy(Record):
    """How to go about one weakness, with a worked example."""

    weakness: str
    text: str = ""
    """What to do, in a sentence or two; empty if the example is all there is."""
    question: str
    """The example's."""
    example: str
    """Its worked solution."""
    rationale_id: str
    """Where the example comes from."""
    teacher: str
    cycle: int
    """In which it was written."""
    questions: tuple[str, ...] = Field(min_length=1)
    """Questions that it is for; those that are alike get it."""
    problem_ids: tuple[str, ...]
    """Train problems by which it is judged: still wrong, it is replaced."""


class Library(Record):
    """The strategies that go with a checkpoint, and how they are used."""

    retrieve: Count = 1
    """Strategies shown with a question at most."""
    near: Unit = 0.2
    """Likeness of the questions from which a strategy is shown."""
    examples: bool = True
    """Whether the worked example is shown, as an earlier turn of the conversation."""
    strategies: tuple[Strategy, ...] = Field(default=())
