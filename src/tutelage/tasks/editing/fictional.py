"""Facts of an invented world: thousands of them, none of which a student can have read."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count, zip_longest
from typing import Final

from ...errors import InputError
from ...hashing import content_hash
from .fact import Fact, Hop, Unrelated
from .names import Namer
from .relations import FICTIONAL, Relation
from .well_known import general_questions

MOST: Final = 10_000
"""Facts; the names of cities are nearly used up then."""
_OWN: Final = 0.4
"""Share of the facts that are about what other facts lead to, such as a city's country."""
_HOPS: Final = 2
"""Questions over two facts that a fact gets at most."""
_PROFESSIONS: Final = """
actor architect astronomer baker banker barber biologist butcher carpenter chemist cook dancer dentist detective
economist electrician farmer fisherman gardener geologist historian jeweller journalist judge lawyer librarian mechanic
miner musician nurse painter pharmacist photographer pilot plumber sailor sculptor surgeon tailor teacher
"""
_GENRES: Final = """
adventure biography comedy cookbook crime drama fable fantasy horror memoir mystery poetry romance satire travelogue
western
"""
_OPEN: Final = ("birthplace", "profession", "author", "teacher", "genre", "employer", "published", "spouse")
"""Relations of which there are as many facts as wanted: each has a subject of its own."""

Triple = tuple[str, str, str]
"""Subject, relation, object."""


@dataclass
class _World:
    """The invented world: pools that answers come from, and what is so in it."""

    draw: random.Random
    namer: Namer
    pools: Mapping[str, tuple[str, ...]]
    of_the_world: list[Triple] = field(default_factory=list)
    """Facts about what stands in the pools, those that lead on first."""


def fictional_facts(n: int, seed: int = 0, unrelated: int = 2) -> tuple[Fact, ...]:
    """Invent facts; the same for the same arguments.

    Subjects are new names, answers come from closed pools (`Fact.chance` is one over a pool's size). No two facts ask
    the same of one subject, one city is the capital of one country, and one person has one spouse. Where the object of
    a fact is the subject of another, the first has a question over both.

    Args:
        n: How many.
        seed: Another seed invents another world.
        unrelated: Unrelated questions a fact: the same question about somebody of whom nothing is taught, and general
            knowledge, in turns. General questions are not repeated; when they run out there are fewer.

    Raises:
        InputError: If `n` is out of range, or the names do not suffice for so many unrelated questions.
    """
    if not 1 <= n <= MOST:
        raise InputError(f"task: n: {n} is not between 1 and {MOST} fictional facts")
    world = _world(n, seed)
    triples = _triples(world, n)
    known = {(subject, relation): object for subject, relation, object in triples}
    general = iter(general_questions(seed))
    return tuple(_fact(world, triple, known, general, unrelated) for triple in triples)


def _world(n: int, seed: int) -> _World:
    """Invent the pools and what is so of their members; a small world for few facts, so that facts meet."""
    draw = random.Random(f"fictional {seed}")
    namer = Namer(draw)
    sizes = {"country": (24, 10, 8), "city": (60, 4, 16), "company": (48, 5, 12), "notable": (48, 5, 12)}
    pools = {kind: namer.names(kind, max(least, min(most, n // share))) for kind, (most, share, least) in sizes.items()}
    pools |= {kind: namer.names(kind, len(pools["country"])) for kind in ("currency", "language")}
    pools |= {"profession": tuple(_PROFESSIONS.split()), "genre": tuple(_GENRES.split())}
    pools["year"] = tuple(map(str, range(1900, 2000)))
    world = _World(draw, namer, pools)
    onward = list(_onward(world))
    further = list(_further(world, onward))
    draw.shuffle(onward)
    draw.shuffle(further)
    world.of_the_world = [*onward, *further]
    return world


def _onward(world: _World) -> Iterator[Triple]:
    """Yield facts that other facts lead to and that lead on."""
    pools, draw = world.pools, world.draw
    for place, city in enumerate(pools["city"]):
        yield city, "country", pools["country"][place % len(pools["country"])]
    for company in pools["company"]:
        yield company, "headquarters", draw.choice(pools["city"])
    for notable in pools["notable"]:
        yield notable, "birthplace", draw.choice(pools["city"])


def _further(world: _World, onward: Iterable[Triple]) -> Iterator[Triple]:
    """Yield the other facts about members of the pools."""
    pools, draw = world.pools, world.draw
    capitals = {object: city for city, relation, object in onward if relation == "country"}
    for country in pools["country"]:
        yield country, "capital", capitals[country]
        yield country, "currency", draw.choice(pools["currency"])
        yield country, "language", draw.choice(pools["language"])
    for company in pools["company"]:
        yield company, "founded", draw.choice(pools["year"])
    for notable in pools["notable"]:
        yield notable, "profession", draw.choice(pools["profession"])


def _triples(world: _World, n: int) -> list[Triple]:
    """Return n facts in a drawn order: some of the world's own, the others about new people and books."""
    own = world.of_the_world[: int(_OWN * n)]
    spouses = list(world.draw.sample(world.pools["notable"], len(world.pools["notable"])))
    made = list[Triple]()
    for place in count():
        if len(own) + len(made) == n:
            break
        relation = FICTIONAL[_OPEN[place % len(_OPEN)]]
        if relation.name == "spouse" and not spouses:
            continue
        object = spouses.pop() if relation.name == "spouse" else world.draw.choice(world.pools[relation.object])
        made.append((world.namer.name(relation.subject), relation.name, object))
    triples = [*own, *made]
    world.draw.shuffle(triples)
    return triples


def _fact(
    world: _World, triple: Triple, known: Mapping[tuple[str, str], str], general: Iterator[Unrelated], unrelated: int
) -> Fact:
    subject, name, object = triple
    relation = FICTIONAL[name]
    strangers = (
        Unrelated(question=relation.ask(world.namer.name(relation.subject))) for _ in range((unrelated + 1) // 2)
    )
    others = zip_longest(strangers, [next(general, None) for _ in range(unrelated // 2)])
    return Fact(
        subject=subject,
        relation=name,
        question=relation.ask(subject),
        answer=object,
        statement=relation.state(subject, object),
        paraphrases=relation.reword(subject),
        unrelated=tuple(one for one in chain.from_iterable(others) if one is not None),
        hops=tuple(_hops(relation, subject, object, known))[:_HOPS],
        chance=1 / len(world.pools[relation.object]),
    )


def _hops(relation: Relation, subject: str, object: str, known: Mapping[tuple[str, str], str]) -> Iterator[Hop]:
    """Yield questions that lead on from a fact's object by another fact that is taught too.

    None leads back, as from a city by its country to the capital: there the question would name the answer.
    """
    for onward in FICTIONAL.values() if relation.phrase else ():
        answer = known.get((object, onward.name))
        if answer is not None and answer != subject:
            other = content_hash(onward.ask(object), answer)
            yield Hop(question=relation.ask_through(subject, onward), answer=answer, needs=other)
