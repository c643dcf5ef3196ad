"""The lessons that a person looks at before they are trained on, and the last word on each."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .errors import InputError, did_you_mean
from .rundir import RunDir
from .schema import Lesson, Review

_PATIENCE = 5.0
"""Seconds to wait for another person who is writing a review just now."""


class Proposal(NamedTuple):
    """A lesson under review."""

    lesson: Lesson
    """As it was proposed."""
    review: Review | None = None
    """The last word on it, if there is one."""

    @property
    def id(self) -> str:
        """The id of its rationale; of the student's own answer, which has none, that of the problem."""
        return self.lesson.rationale_id or self.lesson.problem_id


class Standing(NamedTuple):
    """How the review of a cycle stands."""

    cycle: int
    proposals: Sequence[Proposal]

    @property
    def left(self) -> list[Proposal]:
        """The lessons without a review."""
        return [one for one in self.proposals if one.review is None]


def read_proposals(rundir: RunDir, cycle: int, of: str | None = None) -> list[Proposal]:
    """Return the lessons that a cycle proposed, all or those of one problem, each with the last word on it."""
    last = {(one.problem_id, one.rationale_id): one for one in rundir.reviews(cycle, of)}
    lessons = rundir.proposals(cycle, of) or []
    return [Proposal(lesson, last.get((lesson.problem_id, lesson.rationale_id))) for lesson in lessons]


def under_review(rundir: RunDir) -> Standing | None:
    """Return the review that the run waits for, also if only `resume` is left to do; None if it waits for none."""
    cycle = max((report.cycle for report in rundir.reports()), default=-1) + 1
    if not rundir.file("proposals", cycle).exists() or rundir.step(cycle, "review"):
        return None
    return Standing(cycle, read_proposals(rundir, cycle))


def require_review(rundir: RunDir) -> Standing:
    """Return the review that the run waits for.

    Raises:
        InputError: If it waits for none.
    """
    found = under_review(rundir)
    if found is None:
        why = "the run is finished" if rundir.result() else "with `review: true` they do before each cycle's training"
        raise InputError(f"{rundir.path}: no lessons wait for a review; {why}")
    return found


def find_proposal(standing: Standing, name: str, option: str) -> Proposal:
    """Return the lesson that is meant by its id, by its problem's, or by the beginning of either.

    Args:
        standing: The review.
        name: What was given.
        option: As what it was given, for the message.

    Raises:
        InputError: If none or several are meant.
    """
    exact = [one for one in standing.proposals if name in (one.id, one.lesson.problem_id)]
    found = exact or [one for one in standing.proposals if one.id.startswith(name)]
    found = found or [one for one in standing.proposals if one.lesson.problem_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(one.id for one in found[:5])
        raise InputError(f"{option} {name}: means {len(found)} lessons: {some}{', ...' * (len(found) > 5)}; name one")
    remedy = did_you_mean(name, [one.id for one in standing.proposals])
    told = remedy if remedy.startswith("did") else "--list has the ids"
    raise InputError(f"{option} {name}: no such lesson waits in cycle {standing.cycle}; {told}")


def write_reviews(rundir: RunDir, cycle: int, reviews: Sequence[Review], first: bool = False) -> None:
    """Write reviews, while nobody else works in the run.

    Args:
        rundir: The run.
        cycle: Whose lessons they are of.
        reviews: What is written.
        first: Whether the lessons have no review yet, as far as the reviewer knows.

    Raises:
        InputError: If the run does not wait for them any more, or somebody else was first.
        RunError: If another process is running here.
    """
    rundir.lock(patience=_PATIENCE)
    try:
        if require_review(rundir).cycle != cycle:
            again = f"tutelage review {shlex.quote(str(rundir.path))} --list"
            raise InputError(f"{rundir.path}: the run has gone on; look again (`{again}`)")
        decided = {(one.problem_id, one.rationale_id): one for one in rundir.reviews(cycle)} if first else {}
        for review in reviews:
            if other := decided.get((review.problem_id, review.rationale_id)):
                raise InputError(f"{rundir.path}: {other.author} has decided on this lesson meanwhile; look again")
        rundir.add_reviews(cycle, reviews)
    finally:
        rundir.unlock()


def count_verdicts(rundir: RunDir, cycle: int) -> dict[str, int]:
    """Return how many lessons of a cycle a person accepted, edited, replaced or rejected."""
    reviews = [one.review for one in read_proposals(rundir, cycle) if one.review]
    return dict(sorted(Counter(review.verdict.value for review in reviews).items()))
