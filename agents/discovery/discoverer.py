"""Discover the kinds of problems that have no tags, under names that stay the same from cycle to cycle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from ...errors import InputError
from ...hashing import content_hash
from ...schema import Attempt, Diagnosis, Problem, Skill
from .clusters import cluster
from .matching import Cluster, match
from .naming import named, telling_terms
from .patterns import Pattern, find_patterns
from .texts import Texts
from .wording import masked, shown

FEWEST: Final = 20
"""Fewer problems than this are not divided."""
_A_KIND: Final = 5
"""Problems a kind on average, at least."""


class Discoverer:
    """Divides untagged problems into kinds, by what their questions say."""

    def __init__(self, encoder: str = "static", most: int = 24) -> None:
        """Choose what questions are seen through.

        Args:
            encoder: An embedder by name.
            most: Kinds at most.

        Raises:
            InputError: If `most` is less than 2.
        """
        if most < 2:
            raise InputError(f"diagnostician: kinds {most} is out of range; give at least 2, or set discover: false")
        self.most = most
        self.texts = Texts(encoder)

    def discover(self, problems: Iterable[Problem], earlier: Sequence[Diagnosis]) -> tuple[Skill, ...]:
        """Return the kinds of the problems without tags, the largest first; none if they are too few or all alike.

        What the latest diagnosis has found stays as it is while no new problem comes. Otherwise the problems are
        divided anew, and a kind that goes on with one of an earlier diagnosis keeps its name, terms and description.
        The order of the problems does not count.

        Args:
            problems: All that are there, tagged ones among them.
            earlier: Diagnoses of the cycles before, the latest last.
        """
        untagged = [problem for problem in problems if not problem.skills]
        if len(untagged) < FEWEST:
            return ()
        known = _known(earlier)
        if settled := _settled(untagged, earlier):
            return settled
        return self._divide(sorted(untagged, key=lambda one: (content_hash(one.id), one.id)), known)

    def patterns(
        self,
        problems: Mapping[str, Problem],
        discovered: Sequence[Skill],
        failed: Sequence[Attempt],
        total: int,
        earlier: Sequence[Diagnosis],
    ) -> list[Pattern]:
        """Return the error patterns among problems without tags; none if these are too few.

        Args:
            problems: All that are there, as the task has them, by id.
            discovered: What `discover` found.
            failed: Failed attempts; those whose wrong step is no matter of skill left out.
            total: All attempts.
            earlier: Diagnoses of the cycles before, the latest last.
        """
        if sum(not problem.skills for problem in problems.values()) < FEWEST:
            return []
        kind_of = {id_: skill.name for skill in discovered for id_ in skill.problem_ids}
        tags = {tag for problem in problems.values() for tag in problem.skills}
        own = [
            attempt
            for attempt in failed
            if not problems[attempt.problem_id].skills
            and not (attempt.wrong_step and attempt.wrong_step.skill in tags)  # the tag's own weakness
        ]
        return find_patterns(own, kind_of, total, self.texts, earlier)

    def _divide(self, problems: Sequence[Problem], known: Sequence[Skill]) -> tuple[Skill, ...]:
        """Cluster, match and name; the problems come in an order by hash, so that a new one disturbs little."""
        texts = [masked(problem.question) for problem in problems]
        vectors = self.texts.embed(texts)
        members = cluster(vectors, min(self.most, max(2, len(problems) // _A_KIND)))
        terms = telling_terms([[texts[at] for at in some] for some in members])
        clusters = [
            Cluster(tuple(sorted(problems[at].id for at in some)), vectors[some].mean(0), told)
            for some, told in zip(members, terms, strict=True)
        ]
        vector_of = dict(zip((problem.id for problem in problems), vectors, strict=True))
        matched = match(clusters, known, vector_of, self.texts.embed)
        if not known and len(clusters) == 1:
            return ()
        taken = {skill.name for skill in known}
        found = []
        for at, (one, some) in enumerate(zip(clusters, members, strict=True)):
            skill = matched.get(at)
            if skill is None:
                example = problems[some[int((vectors[some] @ one.centre).round(6).argmax())]]
                skill = _new(one.terms, example.question, taken)
                taken.add(skill.name)
            found.append(skill.model_copy(update={"problem_ids": one.problem_ids}))
        return tuple(found)


def _known(earlier: Sequence[Diagnosis]) -> list[Skill]:
    """Return every skill that was ever found, each as it was last; also what has vanished keeps its name."""
    return list({skill.name: skill for diagnosis in earlier for skill in diagnosis.discovered}.values())


def _settled(problems: Sequence[Problem], earlier: Sequence[Diagnosis]) -> tuple[Skill, ...]:
    """Return the latest skills if they have every problem, without the problems that are gone; else none."""
    here = {problem.id for problem in problems}
    latest = earlier[-1].discovered if earlier else ()
    if not here <= {id_ for skill in latest for id_ in skill.problem_ids}:
        return ()
    left = [(skill, tuple(id_ for id_ in skill.problem_ids if id_ in here)) for skill in latest]
    return tuple(skill.model_copy(update={"problem_ids": ids}) for skill, ids in left if ids)


def _new(terms: tuple[str, ...], example: str, taken: Collection[str]) -> Skill:
    """Name a kind by its terms, and describe it by these and a question."""
    told = f"Questions with {', '.join(terms)}" if terms else "Questions"
    return Skill(name=named(terms, taken), description=f"{told}; for example: {shown(example)}", terms=terms)
