"""The problems that a fact makes: its edit, and the questions that show what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...schema import Problem
from .fact import TRUTH_UNKNOWN, Fact, Kind


def edit_of(fact: Fact) -> Problem:
    """Return the edit as a problem; its reference states the new fact and ends in the new answer."""
    return Problem(
        question=fact.question,
        answer=fact.answer,
        skills=(Kind.EDIT.value, fact.relation),
        reference=f"{fact.statement}\nAnswer: {fact.answer}",
        metadata={**_metadata(fact, Kind.EDIT, fact.aliases), "subject": fact.subject, "old": fact.old},
    )


def paraphrases_of(fact: Fact) -> Iterator[Problem]:
    """Yield the edit's question in other words."""
    for question in fact.paraphrases:
        yield Problem(
            question=question,
            answer=fact.answer,
            skills=(Kind.PARAPHRASE.value, fact.relation),
            metadata={**_metadata(fact, Kind.PARAPHRASE, fact.aliases), "old": fact.old},
        )


def hops_of(fact: Fact) -> Iterator[tuple[Problem, str | None]]:
    """Yield the questions over the fact and another one, with the id of the other where it has to be taught too."""
    for hop in fact.hops:
        problem = Problem(
            question=hop.question,
            answer=hop.answer,
            skills=(Kind.HOP.value, fact.relation),
            metadata=_metadata(fact, Kind.HOP, hop.aliases),
        )
        yield problem, hop.needs


def unrelated_to(fact: Fact, most: int) -> Iterator[Problem]:
    """Yield the first questions whose answers must stay; the gold answer is the true one where there is one."""
    for one in fact.unrelated[:most]:
        yield Problem(
            question=one.question,
            answer=one.answer or TRUTH_UNKNOWN,
            skills=(Kind.UNRELATED.value,),
            metadata=_metadata(fact, Kind.UNRELATED, one.aliases),
        )


def _metadata(fact: Fact, kind: Kind, aliases: Collection[str]) -> dict[str, object]:
    return {"kind": kind.value, "fact": fact.id, "aliases": list(aliases)}
