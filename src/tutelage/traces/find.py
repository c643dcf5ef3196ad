"""Which problem is meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable

from ..errors import InputError, did_you_mean
from ..rundir import RunDir
from ..schema import Problem, Split
from .rows import OfProblem, cycles_of

Problems = dict[str, tuple[Split, Problem]]
"""Problems by id, each with its split."""


def every_problem(rundir: RunDir) -> Problems:
    """Return all problems of a run by id, each with its split, those drawn to test weaknesses last."""
    found: Problems = {p.id: (split, p) for split, problems in rundir.problems().items() for p in problems}
    for cycle in cycles_of(rundir):
        for fresh in rundir.fresh(cycle) or ():
            found.setdefault(fresh.problem.id, (fresh.split, fresh.problem))
    return found


def most_asked(rundir: RunDir) -> str:
    """Return the taught problem that tells most: one that was wrong and later right, if any, and asked most often.

    Where nothing was taught, it is one that a teacher wrote something for.

    Raises:
        InputError: If no teacher has written anything yet.
    """
    lessons = _count(rundir, rundir.lessons)
    taught = lessons or _count(rundir, rundir.rationales)
    if not taught:
        raise InputError(f"{rundir.path}: nothing has been taught yet; name a problem of problems.jsonl with --problem")
    grades: dict[str, list[bool]] = defaultdict(list)
    for attempt in (one for cycle in cycles_of(rundir) for one in rundir.attempts(cycle)):
        grades[attempt.problem_id].append(attempt.correct)
    won = {problem for problem, some in grades.items() if some and not some[0] and any(some)}
    return max(taught, key=lambda problem: (problem in won, len(grades[problem]), taught[problem]))


def _count(rundir: RunDir, read: Callable[[int], Iterable[OfProblem]]) -> Counter[str]:
    return Counter(row.problem_id for cycle in cycles_of(rundir) for row in read(cycle))


def find(rundir: RunDir, problems: Collection[str], problem_id: str) -> str:
    """Return the id that is meant by the beginning of one.

    Raises:
        InputError: If none or several are meant.
    """
    ids = [problem_id] if problem_id in problems else [one for one in problems if one.startswith(problem_id)]
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise InputError(f"--problem {problem_id}: {len(ids)} problems begin so; give more of the id")
    raise InputError(f"--problem {problem_id}: no such problem in {rundir.path}; {_near(problem_id, problems)}")


def _near(problem_id: str, known: Iterable[str]) -> str:
    remedy = did_you_mean(problem_id, known)
    return remedy if remedy.startswith("did") else "the ids are in problems.jsonl"
