"""Counterfactual facts: a well-known subject with another object of the same kind."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from ...errors import InputError
from .fact import Fact, Hop, Unrelated
from .relations import ONWARD, WELL_KNOWN
from .well_known import WellKnown, well_known

_LEFT: Final = 0.2
"""Share of the changeable facts that is never changed: unrelated questions are about them."""

_ONE_TO_ONE: Final = frozenset({"capital"})
"""Relations in which no two changed facts get the same object."""


def counterfactual_facts(n: int, seed: int = 0, unrelated: int = 2) -> tuple[Fact, ...]:
    """Change well-known facts; the same for the same arguments.

    The new answer is another one from the pool of the relation's true answers, so it is of the right kind. Where it
    leads on by a well-known fact that is not changed, there is a question over both.

    Args:
        n: How many.
        seed: Another seed changes others, otherwise.
        unrelated: Unrelated questions a fact, about what is not changed: the same relation first. None is repeated, so
            when they run out there are fewer.

    Raises:
        InputError: If there are not so many well-known facts to change.
    """
    draw = random.Random(f"counterfactual {seed}")
    changeable = [one for one in well_known() if one.relation not in ONWARD]
    most = len(changeable) - int(_LEFT * len(changeable))
    if not 1 <= n <= most:
        raise InputError(f"task: n: {n} is not between 1 and {most} counterfactual facts; use fictional ones for more")
    draw.shuffle(changeable)
    left = [*changeable[most:], *(one for one in well_known() if one.relation in ONWARD)]
    draw.shuffle(left)
    pools, facts = _pools(), list[Fact]()
    for one in changeable[:n]:
        taken = {fact.answer for fact in facts if fact.relation == one.relation in _ONE_TO_ONE}
        fits = [object for object in pools[one.relation] if object not in taken | {one.object}]
        beside = tuple(_beside(one, left, unrelated))
        facts.append(_changed(one, draw.choice(fits), len(pools[one.relation]), beside))
    return tuple(facts)


def _changed(one: WellKnown, new: str, pool: int, unrelated: tuple[Unrelated, ...]) -> Fact:
    """Return a fact with another object, from a pool of so many."""
    relation = WELL_KNOWN[one.relation]
    return Fact(
        subject=one.subject,
        relation=one.relation,
        question=relation.ask(one.subject),
        answer=new,
        old=one.object,
        statement=relation.state(one.subject, new),
        paraphrases=relation.reword(one.subject),
        unrelated=unrelated,
        hops=tuple(_hops(one, new)),
        chance=1 / pool,
    )


def _beside(one: WellKnown, left: list[WellKnown], wanted: int) -> Iterator[Unrelated]:
    """Yield questions about what is left, of the same relation first; `left` shrinks by them."""
    for _ in range(min(wanted, len(left))):
        alike = (place for place, other in enumerate(left) if other.relation == one.relation)
        yield left.pop(next(alike, -1)).asked


def _hops(one: WellKnown, new: str) -> Iterator[Hop]:
    """Yield the questions that lead on, but those that the old object answers alike: they show nothing of the edit."""
    relation = WELL_KNOWN[one.relation]
    onward = [other for other in well_known() if other.relation in ONWARD]
    before = {(other.relation, other.object) for other in onward if other.subject == one.object}
    for other in onward if relation.phrase else ():
        leads = WELL_KNOWN[other.relation]
        alike = (other.relation, other.object) in before
        if other.subject == new and leads.subject == relation.object and not alike:
            yield Hop(question=relation.ask_through(one.subject, leads), answer=other.object)


def _pools() -> dict[str, list[str]]:
    """Return the true answers to each relation, in order."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in well_known():
        found[one.relation].add(one.object)
    return {relation: sorted(objects) for relation, objects in found.items()}
