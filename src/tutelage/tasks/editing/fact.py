"""A fact that a student is to be taught, with the questions that show what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from ...hashing import content_hash
from ...schema.record import Record, Share

TRUTH_UNKNOWN = "(what the student said before)"
"""Stands for the gold answer of an unrelated question to which nobody knows a true one."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Something to read: no white space around it, and not empty."""


class Kind(StrEnum):
    """What a question shows of an edit."""

    EDIT = "edit"
    """It was taught: reliability."""
    PARAPHRASE = "paraphrase"
    """It asks for the same in other words: generalisation."""
    UNRELATED = "unrelated"
    """The answer must stay what it was: locality."""
    HOP = "hop"
    """The answer follows from the new fact and another one: portability."""


class Unrelated(Record):
    """A question to which the edited student must keep saying what it said before."""

    question: Text
    answer: Text | None = None
    """The true answer; None if there is none, as of an invented person."""
    aliases: tuple[Text, ...] = ()


class Hop(Record):
    """A question that takes the new fact and another one."""

    question: Text
    answer: Text
    aliases: tuple[Text, ...] = ()
    needs: str | None = None
    """Id of the other fact, if it is one that has to be taught; without it nobody is asked."""


class Fact(Record):
    """One edit."""

    id: str = ""
    """Hash of question and answer, unless the file brings its own."""
    subject: Text
    relation: Text = "fact"
    """What is said of the subject, such as `capital`; problems have it as a skill."""
    question: Text
    answer: Text
    """The new one."""
    aliases: tuple[Text, ...] = ()
    """Other spellings of it."""
    old: Text | None = None
    """The answer before, where there was one."""
    statement: Text
    """The new fact as a sentence."""
    paraphrases: tuple[Text, ...] = ()
    unrelated: tuple[Unrelated, ...] = ()
    hops: tuple[Hop, ...] = ()
    chance: Share | None = None
    """How often a guess from the closed pool of answers is right; None if the pool is open."""

    @model_validator(mode="after")
    def _name_by_content(self) -> Self:
        if not self.id:
            object.__setattr__(self, "id", content_hash(self.question, self.answer))
        return self
