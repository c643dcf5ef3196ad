"""A fact that a student is to be taught, with the questions that show what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from ...hashing import content_hash
from ...schema.record import Record, Share

TRUTH_UNKNOWN = "(what the student said before)"
"""Stands for the gold answer of an unrelated question to which nobody knows a true one."""


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

    question: str = Field(min_length=1)
    answer: str | None = Field(None, min_length=1)
    """The true answer; None if there is none, as of an invented person."""
    aliases: tuple[str, ...] = ()


class Hop(Record):
    """A question that takes the new fact and another one."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    needs: str | None = None
    """Id of the other fact, if it is one that has to be taught; without it nobody is asked."""


class Fact(Record):
    """One edit."""

    id: str = ""
    """Hash of question and answer, unless the file brings its own."""
    subject: str = Field(min_length=1)
    relation: str = Field("fact", min_length=1)
    """What is said of the subject, such as `capital`; problems have it as a skill."""
    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    """The new one."""
    aliases: tuple[str, ...] = ()
    """Other spellings of it."""
    old: str | None = Field(None, min_length=1)
    """The answer before, where there was one."""
    statement: str = Field(min_length=1)
    """The new fact as a sentence."""
    paraphrases: tuple[str, ...] = ()
    unrelated: tuple[Unrelated, ...] = ()
    hops: tuple[Hop, ...] = ()
    chance: Share | None = None
    """How often a guess from the closed pool of answers is right; None if the pool is open."""

    @model_validator(mode="after")
    def _name_by_content(self) -> Self:
        if not self.id:
            object.__setattr__(self, "id", content_hash(self.question, self.answer))
        return self
