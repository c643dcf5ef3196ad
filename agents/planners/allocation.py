"""Lessons by skill: each gets its share, as far as there are problems that need it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ...schema import Problem
from ...shares import apportion


def allocate(
    shares: Mapping[str, float], ranked: Mapping[str, Sequence[Problem]], lessons: int
) -> dict[str, list[Problem]]:
    """Give each skill its share of the lessons out of its own problems, none of them twice.

    The skill with the fewest problems takes first, so that a problem that needs several skills goes where it is scarce.
    What a skill has no problems for goes to the others, by their shares.

    Args:
        shares: By skill, positive.
        ranked: The problems that a skill may take, the best first.
        lessons: How many problems are taken in all, as far as there are so many.

    Returns:
        The problems that each skill got, in the order of `shares`.
    """
    queues = {skill: list(ranked.get(skill, ()))[::-1] for skill in shares}
    taken: dict[str, list[Problem]] = {skill: [] for skill in shares}
    used: set[str] = set()
    lessons = min(lessons, len({problem.id for queue in queues.values() for problem in queue}))
    left = lessons
    while left > 0:
        waiting = sorted((skill for skill in shares if queues[skill]), key=lambda skill: (len(queues[skill]), skill))
        if not waiting:
            break
        counts = apportion(left, [shares[skill] for skill in waiting])
        for skill, count in zip(waiting, counts, strict=True):
            taken[skill] += _take(queues[skill], count, used)
        left = lessons - len(used)
    return taken


def _take(queue: list[Problem], count: int, used: set[str]) -> list[Problem]:
    """Take the last problems of a queue that are not used yet; the queue keeps none that are."""
    taken: list[Problem] = []
    while queue and (len(taken) < count or queue[-1].id in used):
        problem = queue.pop()
        if problem.id not in used:
            used.add(problem.id)
            taken.append(problem)
    return taken


def by_skill(problems: Iterable[Problem], skills: Callable[[Problem], Iterable[str]]) -> dict[str, list[Problem]]:
    """Group problems by every skill that they need, in the order in which they come."""
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        for skill in skills(problem):
            found[skill].append(problem)
    return dict(found)
