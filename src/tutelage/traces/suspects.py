"""Which lessons may have made a student lose what it could do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

from ..schema import Attempt, Lesson, Problem

SHOWN = 3
"""Lessons that are named."""
_READ = 20_000
"""Characters of a text that are looked at."""

T = TypeVar("T")
Shape = frozenset[tuple[str, ...]]
"""The words and pairs of words of a text, each number as `0`."""


class Suspects:
    """The lessons of a cycle, of which some may have done harm."""

    def __init__(self, lessons: Iterable[Lesson], skills: Mapping[str, Iterable[str]]) -> None:
        """Hold lessons, and the skills of each problem by its id."""
        self._lessons = list(lessons)
        self._skills = skills

    def of(self, problem: Problem, after: Attempt) -> tuple[list[dict[str, Any]], int]:
        """Return the lessons that are most like a wrong answer given after the cycle, the likest first.

        They are those for the problem itself, which come first, and for problems that share a skill with it; where
        there are none, all. Likeness is the Jaccard index of words and pairs of words, numbers taken as equal, since
        what was learnt is mostly a form; of those that are equally like, the ones that share more numbers come first.
        It is a hint, not a proof.

        Args:
            problem: The problem that was answered better before the cycle.
            after: A wrong answer to it by the cycle's student.

        Returns:
            The first `SHOWN`, and how many lessons there are that are as like as the last of these.
        """
        own, shown = frozenset(self._skills.get(problem.id, ())), shape(after.text)
        near = {at for skill in own for at in self._by_skill[skill]} | set(self._by_problem[problem.id])
        places = sorted(near) or range(len(self._lessons))
        said = numbers(after.text)
        ranked = [
            (self._lessons[at], likeness(shown, self._shapes[at]), likeness(said, self._numbers[at])) for at in places
        ]
        ranked.sort(key=lambda found: (found[0].problem_id == problem.id, *found[1:]), reverse=True)
        named = ranked[:SHOWN]
        as_like = sum(alike >= named[-1][1] for _, alike, _ in ranked[SHOWN:]) if named else 0
        return [self._told(lesson, own, alike) for lesson, alike, _ in named], len(named) + as_like

    def _told(self, lesson: Lesson, own: frozenset[str], alike: float) -> dict[str, Any]:
        return {
            "problem_id": lesson.problem_id,
            "rationale_id": lesson.rationale_id,
            "agent": lesson.origin,
            "question": lesson.question,
            "text": lesson.text,
            "skills": sorted(own.intersection(self._skills.get(lesson.problem_id, ()))),
            "likeness": round(alike, 3),
        }

    @cached_property
    def _shapes(self) -> list[Shape]:
        return [shape(lesson.text) for lesson in self._lessons]

    @cached_property
    def _numbers(self) -> list[frozenset[str]]:
        return [numbers(lesson.text) for lesson in self._lessons]

    @cached_property
    def _by_skill(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for at, lesson in enumerate(self._lessons):
            for skill in self._skills.get(lesson.problem_id, ()):
                found[skill].append(at)
        return found

    @cached_property
    def _by_problem(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for at, lesson in enumerate(self._lessons):
            found[lesson.problem_id].append(at)
        return found


def shape(text: str) -> Shape:
    """Return the words and pairs of words of a text, each number as `0`."""
    words = re.findall(r"\w+|[^\w\s]", re.sub(r"\d+", "0", text.casefold()[:_READ]))
    return frozenset([*((word,) for word in words), *pairwise(words)])


def numbers(text: str) -> frozenset[str]:
    """Return the numbers that stand in a text."""
    return frozenset(re.findall(r"-?\d+(?:\.\d+)?", text[:_READ]))


def likeness(some: frozenset[T], others: frozenset[T]) -> float:
    """Return the Jaccard index of two sets; 0 if both are empty."""
    shared = len(some & others)
    return shared / max(1, len(some) + len(others) - shared)
