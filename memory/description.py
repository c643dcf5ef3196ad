"""What errors are compared by: a text for the vectors, and terms for the lexical search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..schema import Attempt, Problem, WrongStep
from .journal import ErrorEntry
from .pattern import relations

DESCRIPTION = 2
"""Counted up when errors come to be described otherwise: an index that was made before is then built again."""
TEXT_CAP = 200
"""Characters of one field that are embedded: how long that takes grows with them, and what a question asks it mostly
says at once."""

QUESTION_CAP = 2000
"""Characters of a question in which numbers are counted."""
MANY = 9
"""As many numbers of a question, or more, are one term."""
_NAMED = re.compile(r"\d+(?:,\d{3}(?!\d))*(?:\.\d+)?")
"""A number as a question names it; a comma within is one that separates thousands."""


class Description(NamedTuple):
    """An error, real or sought, in the form in which errors are compared."""

    text: str
    """Embedded."""
    terms: tuple[str, ...]
    """Matched word for word; the same for other numbers."""


def describe(question: str, wrong_step: WrongStep | None, skill: str | None, how: Sequence[str] = ()) -> str:
    """Return the text by which errors are compared: the skill, how it is wrong, the wrong step, and the question."""
    parts = [question[:TEXT_CAP]]
    if wrong_step is not None:
        parts.insert(0, f"wrong step ({wrong_step.kind}): {wrong_step.found[:TEXT_CAP]}")
        skill = skill or wrong_step.skill
    if how:
        parts.insert(0, f"wrong how: {', '.join(how)}")
    if skill:
        parts.insert(0, f"skill: {skill[:TEXT_CAP]}")
    return "\n".join(parts)


def describe_entry(entry: ErrorEntry) -> Description:
    """Describe a remembered error."""
    how = relations(entry.question, entry.answer, entry.given, entry.wrong_step, entry.attempt)
    return _description(entry.question, entry.wrong_step, entry.weakness, entry.skills, how)


def describe_query(
    problem: Problem, wrong_step: WrongStep | None, weakness: str | None, attempt: Attempt | None
) -> Description:
    """Describe what is sought: an error at this problem, or without one its question, skills and weakness."""
    how: tuple[str, ...] = ()
    if attempt is not None:
        wrong_step = wrong_step or attempt.wrong_step
        how = relations(problem.question, problem.answer, attempt.answer, wrong_step, attempt.text)
    return _description(problem.question, wrong_step, weakness, problem.skills, how)


def _description(
    question: str, wrong_step: WrongStep | None, weakness: str | None, skills: tuple[str, ...], how: tuple[str, ...]
) -> Description:
    text = describe(question, wrong_step, weakness or (skills[0] if skills else None), how)
    return Description(text, _terms(question, wrong_step, weakness, skills, how))


def _terms(
    question: str, wrong_step: WrongStep | None, weakness: str | None, skills: tuple[str, ...], how: tuple[str, ...]
) -> tuple[str, ...]:
    """List what matches: skills, numbers in the question, weakness, kind of wrong step, how it is wrong and where."""
    step = wrong_step.skill if wrong_step is not None else None
    about = [f"skill {skill}" for skill in skills]
    about.append(f"numbers {min(len(_NAMED.findall(question[:QUESTION_CAP])), MANY)}")
    if wrong_step is not None:
        about.append(f"kind {wrong_step.kind}")
    about += [f"{field} {name}" for field, name in (("step", step), ("weakness", weakness)) if name]
    pairs = [f"{place} + {way}" for place in skills[:1] for way in how]
    return tuple(dict.fromkeys([*about, *(f"how {way}" for way in how), *pairs]))
