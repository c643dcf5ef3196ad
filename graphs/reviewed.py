"""What becomes of a cycle's lessons, and of the rationales behind them, once a person has reviewed them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..hashing import content_hash
from ..model_thread import on_model_thread
from ..reviews import Proposal, read_proposals
from ..schema import BY_HAND, Lesson, Problem, Rationale, Review, ReviewVerdict, Split
from .context import RunContext
from .text_check import check_of


async def apply_reviews(context: RunContext, cycle: int) -> int:
    """Write the rationales and the lessons of a cycle as a person decided, and return how many lessons there are.

    All of it follows from the proposals and the reviews, so that doing it again changes nothing.
    """
    rundir = context.rundir
    proposals = read_proposals(rundir, cycle)
    problems = {problem.id: problem for problem in context.problems[Split.TRAIN]}
    texts = {one.id: await _text_of(context, problems[one.lesson.problem_id], one) for one in proposals}
    persons = {review.title for review in rundir.reviews(cycle)} - set(context.teachers)
    known = [one for one in rundir.rationales(cycle) if one.teacher not in persons]  # or they would be there twice
    own = [one for one in texts.values() if one is not None]
    rationales = [*_marked(known, proposals), *own]
    if proposals:
        rundir.write_rationales(cycle, rationales)
    lessons = decided_lessons(proposals, texts, {one.id: one for one in rationales})
    rundir.write_lessons(cycle, lessons)
    return len(lessons)


async def _text_of(context: RunContext, problem: Problem, proposal: Proposal) -> Rationale | None:
    """Return what a person wrote as a rationale, judged as a teacher's is; None if that is nothing."""
    review = proposal.review
    if review is None or review.verdict is not ReviewVerdict.EDITED:
        return None
    found = await on_model_thread(check_of(context).judge, problem, review.after)
    return Rationale(
        id=content_hash(problem.id, review.title, review.cycle, proposal.id, review.after),
        problem_id=problem.id,
        teacher=review.title,
        cycle=review.cycle,
        text=review.after,
        answer=found.answer,
        parent_id=review.rationale_id,
        verified=found.reason is None,
        rejected=found.reason,
        wrong_step=found.wrong_step,
    )


def _marked(rationales: Sequence[Rationale], proposals: Sequence[Proposal]) -> list[Rationale]:
    """Return rationales of which those that a person rejected count as rejected, and the other proposed ones do not."""
    decided = {one.lesson.rationale_id: _rejected(one.review) for one in proposals if one.lesson.rationale_id}
    return [
        one.model_copy(update={"verified": not decided[one.id], "rejected": BY_HAND if decided[one.id] else None})
        if one.id in decided
        else one
        for one in rationales
    ]


def _rejected(review: Review | None) -> bool:
    return review is not None and review.verdict is ReviewVerdict.REJECTED


def decided_lessons(
    proposals: Sequence[Proposal], texts: Mapping[str, Rationale | None], rationales: Mapping[str, Rationale]
) -> list[Lesson]:
    """Return the lessons that are left, each problem's with the weight that its proposals had together.

    Args:
        proposals: Of one cycle.
        texts: What a person wrote instead, by the proposal's id.
        rationales: Of the cycle, by id.
    """
    by_problem: dict[str, list[tuple[Proposal, Lesson | None]]] = defaultdict(list)
    for one in proposals:
        by_problem[one.lesson.problem_id].append((one, _decided(one, texts.get(one.id), rationales)))
    return [lesson for pairs in by_problem.values() for lesson in _together(pairs)]


def _decided(proposal: Proposal, text: Rationale | None, rationales: Mapping[str, Rationale]) -> Lesson | None:
    lesson, review = proposal
    if _rejected(review):
        return None
    other = rationales[review.taken] if review and review.taken else text
    if other is None:
        return lesson
    changes = {"text": other.text.strip(), "origin": other.teacher, "rationale_id": other.id}
    return lesson.model_copy(update=changes)


def _together(pairs: Sequence[tuple[Proposal, Lesson | None]]) -> list[Lesson]:
    """Give a problem's lessons that are left its whole weight, and say what they were chosen over."""
    left = [lesson for _, lesson in pairs if lesson is not None]
    kept = list({lesson.rationale_id: lesson for lesson in left}.values())  # one text once, though taken for two
    proposed = [one.lesson for one, _ in pairs]
    share = sum(lesson.weight for lesson in kept)
    scale = sum(lesson.weight for lesson in proposed) / share if share else 1.0
    chosen = {lesson.rationale_id for lesson in kept}
    candidates = dict.fromkeys(
        name for one in proposed for name in (one.rationale_id, *one.chosen_over) if name is not None
    )
    turned_away = {one.lesson.rationale_id for one, _ in pairs if _rejected(one.review)}
    over = tuple(name for name in candidates if name not in chosen | turned_away)
    return [lesson.model_copy(update={"weight": lesson.weight * scale, "chosen_over": over}) for lesson in kept]
