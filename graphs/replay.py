"""Replay: lessons of earlier cycles that are taught again beside a cycle's own, against forgetting."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from ..hashing import content_hash
from ..lineage import lineage
from ..schema import Lesson
from .context import RunContext


def replayed_lessons(context: RunContext, cycle: int, student: str) -> list[Lesson]:
    """Return the lessons that a cycle teaches again, of those that the student was taught."""
    share = context.config.training.replay
    if not share:
        return []
    line = [report.cycle for report in lineage(context.rundir.reports(), student)]
    return draw_replay(
        context.rundir.lessons(cycle), [context.rundir.lessons(c) for c in line], share, context.config.seed
    )


def draw_replay(
    lessons: Sequence[Lesson], earlier: Sequence[Sequence[Lesson]], share: float, seed: int
) -> list[Lesson]:
    """Draw problems that were taught before, each as likely as the other, and return their newest lessons.

    A problem's lessons keep their origin and their cycle, by which they are told from new ones. They are weighted so
    that a replayed problem counts as much as one of this cycle does on average, and `share` is the share of what is
    trained on. If too few problems were taught before, all are returned.

    Args:
        lessons: This cycle's.
        earlier: Those of each earlier cycle that made the student, the oldest first.
        share: How much of all problems is replayed, in [0, 1).
        seed: Of the draw, together with the cycle.
    """
    taught = _by_problem(lessons)
    newest: dict[str, list[Lesson]] = {}
    for cycle in earlier:
        newest |= _by_problem(cycle)
    pool = [problem for problem in newest if problem not in taught]
    wanted = min(len(pool), round(share / (1 - share) * len(taught)))
    if not wanted:
        return []
    draw = random.Random(content_hash("replay", seed, lessons[0].cycle))
    weight = fmean(sum(one.weight for one in some) for some in taught.values())
    return [one for problem in draw.sample(pool, wanted) for one in _weighing(newest[problem], weight)]


def count_problems(lessons: Sequence[Lesson]) -> int:
    """Return how many problems lessons are about."""
    return len({lesson.problem_id for lesson in lessons})


def _by_problem(lessons: Sequence[Lesson]) -> dict[str, list[Lesson]]:
    found: defaultdict[str, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        found[lesson.problem_id].append(lesson)
    return dict(found)


def _weighing(lessons: Sequence[Lesson], weight: float) -> list[Lesson]:
    """Return a problem's lessons with weights that add up to `weight`, in their old proportions."""
    total = sum(lesson.weight for lesson in lessons)
    shares = [lesson.weight / total if total else 1 / len(lessons) for lesson in lessons]
    return [lesson.model_copy(update={"weight": weight * share}) for lesson, share in zip(lessons, shares, strict=True)]
