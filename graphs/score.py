"""Score: a purifier that wants to scores the verified rationales before it chooses; the scores go into their file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from ..model_thread import on_model_thread
from ..schema import Problem, Rationale, Split
from .context import RunContext
from .guard import guard, scores_of
from .skills import problems_of

CHUNK = 16
"""Problems scored at once: a crash costs no more than these."""

Candidates = dict[str, list[Rationale]]
"""The verified rationales of each problem, in the order of the teachers and of their drafts."""


def candidates(context: RunContext, cycle: int) -> Candidates:
    """Return what may become a lesson in a cycle, by problem; what a purifier wrote before a crash is none of it."""
    order = {name: position for position, name in enumerate(context.teachers)}
    verified = [r for r in context.rundir.rationales(cycle) if r.verified and r.teacher in order]
    found: Candidates = defaultdict(list)
    for rationale in sorted(verified, key=lambda r: (order[r.teacher], r.draft)):
        found[rationale.problem_id].append(rationale)
    return found


async def score(
    context: RunContext, write: Callable[[dict[str, Any]], None], cycle: int, found: Candidates
) -> Candidates:
    """Let the purifier score candidates, if it has `score`; return them with the scores, which go into their file too.

    Raises:
        RunError: If the purifier fails.
    """
    if not hasattr(context.purifier, "score"):
        return found
    problems = {problem.id: problem for problem in problems_of(context, Split.TRAIN, cycle)}
    groups = [(problems[problem_id], some) for problem_id, some in found.items()]
    write({"kind": "progress", "node": "score", "cycle": cycle, "done": 0, "total": len(groups)})
    scores: dict[str, dict[str, float]] = {}
    for start in range(0, len(groups), CHUNK):
        chunk = groups[start : start + CHUNK]
        new = await on_model_thread(_scored, context, chunk)
        _write_scores(context, cycle, new)
        scores |= new
        write({"kind": "progress", "node": "score", "cycle": cycle, "advance": len(chunk), "total": len(groups)})
    return {problem_id: [_with(scores, one) for one in some] for problem_id, some in found.items()}


def _scored(context: RunContext, chunk: list[tuple[Problem, list[Rationale]]]) -> dict[str, dict[str, float]]:
    purifier: Any = context.purifier
    problem_of = {one.id: problem.id for problem, some in chunk for one in some}
    with guard(context, "score"):
        return scores_of(purifier.score(chunk), problem_of)


def _write_scores(context: RunContext, cycle: int, scores: Mapping[str, dict[str, float]]) -> None:
    if not scores:
        return
    known = context.rundir.rationales(cycle)
    context.rundir.write_rationales(cycle, [_with(scores, one) for one in known])


def _with(scores: Mapping[str, dict[str, float]], one: Rationale) -> Rationale:
    return one.model_copy(update={"scores": {**one.scores, **scores.get(one.id, {})}})
