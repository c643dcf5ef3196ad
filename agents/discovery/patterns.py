"""Error patterns: wrong steps of one kind that go through several kinds of problems, in tasks without tags."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ...hashing import content_hash
from ...schema import Attempt, Diagnosis, Skill, WrongStep
from .clusters import cluster
from .matching import Cluster, match
from .naming import IN_NAME, named, telling_terms
from .texts import Texts
from .wording import masked, shown

FREQUENT: Final = 0.05
"""Share of all attempts that must show a pattern."""
EXPLAINED: Final = 0.8
"""A pattern of which so many failures are at problems of one kind is that kind's own; it is not named twice."""
ELSEWHERE: Final = 0.025
"""Share of all attempts that must show it at problems of other kinds than that where it is commonest."""
_FEWEST: Final = 3
_MOST: Final = 8
"""Patterns of one kind of wrong step at most."""
_BEFORE: Final = 80
"""Characters before a wrong step that belong to what it is about."""


class Pattern(NamedTuple):
    """Failures that have one kind of wrong step in common."""

    name: str
    """The skill of the step; without one, how it is wrong and the words around it."""
    description: str
    failures: tuple[Attempt, ...]


def find_patterns(
    failed: Sequence[Attempt],
    kind_of: Mapping[str, str | None],
    total: int,
    texts: Texts,
    earlier: Sequence[Diagnosis] = (),
) -> list[Pattern]:
    """Return the frequent patterns that no one kind of problem explains, the most frequent first.

    Wrong steps are alike if they are wrong in one way (`WrongStep.kind`) and need one skill; where the skill is not
    known, if the words around them are alike. A pattern goes on under its earlier name.

    Args:
        failed: Failed attempts at problems without tags; those whose wrong step is no matter of skill left out.
        kind_of: The discovered kind of each problem, by its id; None or missing where there is none.
        total: All attempts.
        texts: Embeds the words around steps.
        earlier: Diagnoses of the cycles before, the latest last.
    """
    least = max(_FEWEST, FREQUENT * total)
    found = [
        Pattern(name, _described(some, total), some)
        for name, some in _groups(failed, texts, earlier)
        if len(some) >= least and not _explained(some, kind_of, total)
    ]
    return sorted(found, key=lambda one: (-len(one.failures), one.name))


def _groups(
    failed: Sequence[Attempt], texts: Texts, earlier: Sequence[Diagnosis]
) -> Iterator[tuple[str, tuple[Attempt, ...]]]:
    by_step: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in sorted(failed, key=lambda one: one.id):
        if attempt.wrong_step is not None:
            by_step[attempt.wrong_step.kind, attempt.wrong_step.skill or ""].append(attempt)
    skilled: defaultdict[str, list[Attempt]] = defaultdict(list)
    for (kind, skill), some in sorted(by_step.items()):
        if skill:
            skilled[skill] += some
        elif len(some) >= _FEWEST:
            yield from _by_words(kind, some, texts, earlier)
    yield from ((skill, tuple(some)) for skill, some in skilled.items())


def _by_words(
    kind: str, attempts: Sequence[Attempt], texts: Texts, earlier: Sequence[Diagnosis]
) -> Iterator[tuple[str, tuple[Attempt, ...]]]:
    """Divide the wrong steps of one kind by the words around them."""
    attempts = sorted(attempts, key=lambda one: content_hash(one.id))
    around = [masked(_around(one)) for one in attempts]
    vectors = texts.embed(around)
    members = cluster(vectors, _MOST)
    terms = [told[:IN_NAME] for told in telling_terms([[around[at] for at in some] for some in members])]
    known = _known(kind, earlier)
    clusters = [Cluster((), vectors[some].mean(0), told) for some, told in zip(members, terms, strict=True)]
    matched = match(clusters, known, {}, texts.embed)
    taken = {skill.name.removeprefix(f"{kind}: ") for skill in known}
    for at, some in enumerate(members):
        words = matched[at].name.removeprefix(f"{kind}: ") if at in matched else named(terms[at], taken)
        taken.add(words)
        yield f"{kind}: {words}", tuple(attempts[place] for place in some)


def _known(kind: str, earlier: Sequence[Diagnosis]) -> list[Skill]:
    """Return the patterns of a kind that had names before, with the words of their names as terms."""
    names = dict.fromkeys(
        w.name for diagnosis in earlier for w in diagnosis.weaknesses if w.name.startswith(f"{kind}: ")
    )
    return [Skill(name=name, terms=tuple(name.removeprefix(f"{kind}: ").split())) for name in names]


def _around(attempt: Attempt) -> str:
    """Return a wrong step with the words before it in its line."""
    step = attempt.wrong_step
    assert step is not None
    before = attempt.text[max(0, step.start - _BEFORE) : step.start].rpartition("\n")[2]
    return f"{before}{attempt.text[step.start : step.end] or step.found}"


def _explained(failures: Collection[Attempt], kind_of: Mapping[str, str | None], total: int) -> bool:
    """Whether almost all of the failures are at problems of one kind, and those elsewhere may be chance."""
    kinds = Counter(kind for one in failures if (kind := kind_of.get(one.problem_id)) is not None)
    commonest = max(kinds.values(), default=0)
    elsewhere = len(failures) - commonest
    return commonest >= EXPLAINED * len(failures) or (commonest > 0 and elsewhere < max(_FEWEST, ELSEWHERE * total))


def _described(failures: Sequence[Attempt], total: int) -> str:
    step, text = failures[0].wrong_step, failures[0].text
    assert isinstance(step, WrongStep)
    example = shown(text[step.start : step.end] or step.found, 80)
    told = f"{len(failures)} of {total} answers take a wrong step of this kind ({step.kind})"
    return f"{told}; for example {example!r}, where {shown(step.expected, 60)!r} is right."
