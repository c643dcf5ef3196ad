"""Which lessons may have made a student lose what it could do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..schema import Attempt, Lesson, Problem

SHOWN = 3
"""Lessons that are named."""
_READ = 20_000
"""Characters of a text that are looked at."""


def suspects(
    problem: Problem, after: Attempt, lessons: Sequence[Lesson], skills: Mapping[str, frozenset[str]]
) -> list[dict[str, Any]]:
    """Return the lessons of a cycle that are most like a wrong answer given after it, the likest first.

    Those for the problem itself or for one that shares a skill come first. Likeness is the Jaccard index of words and
    pairs of words, numbers taken as equal, since what was learnt is mostly a form. It is a hint, not a proof.

    Args:
        problem: The problem that was answered rightly before the cycle.
        after: A wrong answer to it by the cycle's student.
        lessons: The lessons of the cycle.
        skills: The skills of each problem by its id.
    """
    shown = shape(after.text)
    own = skills.get(problem.id, frozenset())
    near = [one for one in lessons if one.problem_id == problem.id or own & skills.get(one.problem_id, frozenset())]
    ranked = [(likeness(shown, shape(lesson.text)), lesson) for lesson in near or lessons]
    ranked.sort(key=lambda pair: (pair[1].problem_id == problem.id, pair[0]), reverse=True)  # stable
    return [
        {
            "problem_id": lesson.problem_id,
            "rationale_id": lesson.rationale_id,
            "agent": lesson.origin,
            "question": lesson.question,
            "text": lesson.text,
            "skills": sorted(own & skills.get(lesson.problem_id, frozenset())),
            "likeness": round(alike, 3),
        }
        for alike, lesson in ranked[:SHOWN]
    ]


def shape(text: str) -> frozenset[tuple[str, ...]]:
    """Return the words and pairs of words of a text, each number as `0`."""
    words = re.findall(r"\w+|[^\w\s]", re.sub(r"\d+", "0", text.casefold()[:_READ]))
    return frozenset([*((word,) for word in words), *pairwise(words)])


def likeness(some: frozenset[Any], others: frozenset[Any]) -> float:
    """Return the Jaccard index of two sets; 0 if both are empty."""
    return len(some & others) / max(1, len(some | others))
