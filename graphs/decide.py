"""Decide: which of a problem's verified rationales are taught, or what a purifier wrote in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from ..agents.purifiers.consensus import answer_of, majority
from ..hashing import content_hash
from ..model_thread import on_model_thread
from ..schema import TOO_LONG, Conflict, Decision, Problem, Rationale
from .context import RunContext
from .lesson.judge import judge


async def decide(
    context: RunContext, cycle: int, problem: Problem, written: Sequence[Rationale], verified: Sequence[Rationale]
) -> tuple[list[Rationale], Decision]:
    """Return what is taught for a problem, rationales of the purifier's own included, and the record of it.

    Args:
        context: The run.
        cycle: The cycle.
        problem: What is taught.
        written: The last word of each teacher and draft, the rejected ones included.
        verified: Those that may be taught; at least one.

    Raises:
        RunError: If the purifier fails.
    """
    purified = await context.purifier_call.purify(cycle, problem, verified)
    given = {one.id: one for one in verified}
    found: dict[str, Rationale] = {}
    for one in purified.rationales:
        known = given.get(one.id)
        # A given rationale with another text is a text of the purifier's own.
        own = known is None or known.text != one.text
        kept = await on_model_thread(_judged, context, cycle, problem, one) if own or known is None else known
        found[kept.id] = kept
    taught = list(found.values())
    rejected, fallback = [one for one in taught if not one.verified], purified.fallback
    if len(rejected) == len(taught):
        fallback = f"its own text was turned away: {rejected[0].rejected}" if rejected else "it chose none"
        taught.insert(0, majority(verified))
    decision = Decision(
        problem_id=problem.id,
        cycle=cycle,
        purifier=context.purifier_name,
        candidates=tuple(one.id for one in verified),
        scores={name: round(score, 6) for name, score in _finite(purified.scores).items()},
        chosen=tuple(one.id for one in taught if one.verified),
        conflict=conflict_of(written),
        fallback=fallback,
    )
    return taught, decision


def nothing_to_choose(context: RunContext, cycle: int, problem_id: str, written: Sequence[Rationale]) -> Decision:
    """Return the record of a problem for which nothing that was written can be taught."""
    return Decision(
        problem_id=problem_id,
        cycle=cycle,
        purifier=context.purifier_name,
        candidates=(),
        chosen=(),
        conflict=conflict_of(written),
    )


def conflict_of(written: Sequence[Rationale]) -> Conflict | None:
    """Say what rationales disagree in: their final answers, else in whether a step of theirs is wrong."""
    if len({answer_of(one) for one in written if one.answer is not None}) > 1:
        return "answers"
    sound = {one.wrong_step is None for one in written if one.answer is not None}
    return "steps" if len(sound) > 1 else None


def _judged(context: RunContext, cycle: int, problem: Problem, own: Rationale) -> Rationale:
    """Judge a text that the purifier wrote itself, as a teacher's is judged."""
    verdict = judge(context.task, problem, own.text, context.checker, context.config.teach.check == "steps")
    reason = verdict.reason or (None if context.fits(own.text) else TOO_LONG)
    author = f"purifier {context.purifier_name}"  # a teacher may have the purifier's name
    changes = {
        "id": content_hash(problem.id, author, str(cycle), own.text),
        "problem_id": problem.id,
        "teacher": author,
        "cycle": cycle,
        "answer": verdict.answer,
        "verified": reason is None,
        "rejected": reason,
        "wrong_step": verdict.wrong_step,
        "scores": _finite(own.scores),
    }
    return own.model_copy(update=changes)


def _finite(scores: Mapping[str, float]) -> dict[str, float]:
    """Leave out what JSON cannot hold."""
    return {name: score for name, score in scores.items() if isfinite(score)}
