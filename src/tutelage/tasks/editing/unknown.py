"""Leave out what a student knows already: an edit that changes nothing shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ...schema import Problem
from .fact import Fact
from .measures import grade_fact
from .problems import edit_of


class Unknown(NamedTuple):
    """Facts by whether a student knows them."""

    facts: tuple[Fact, ...]
    """Those it does not give the new answer to."""
    known: tuple[Fact, ...]


def unknown_to(ask: Callable[[Sequence[Problem]], Sequence[str]], facts: Iterable[Fact]) -> Unknown:
    """Divide facts by whether a student gives the new answer already.

    Args:
        ask: Returns the student's answers to problems, as an exam asks them.
        facts: The facts in question; their order is kept.
    """
    every = tuple(facts)
    problems = [edit_of(fact) for fact in every]
    knows = [grade_fact(problem, text).score == 1.0 for problem, text in zip(problems, ask(problems), strict=True)]
    return Unknown(
        facts=tuple(fact for fact, known in zip(every, knows, strict=True) if not known),
        known=tuple(fact for fact, known in zip(every, knows, strict=True) if known),
    )
