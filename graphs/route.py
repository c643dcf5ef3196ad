"""Route: a purifier that knows teachers by the question has only the one asked that it would choose."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..hashing import content_hash
from ..lineage import accepted, checkpoint_of
from ..model_thread import on_model_thread
from ..schema import Assignment, Evidence, LessonPlan, Problem, Split
from .context import RunContext
from .guard import guard, scores_of
from .last_words import last_words
from .lesson.call import EMPTY, FAILURES, NO_TEXT
from .skills import problems_of

_UNTOLD = FAILURES - {EMPTY}
"""Failures that say nothing of what a teacher knows: time-outs, and calls that broke."""


async def route(context: RunContext, plan: LessonPlan, write: Callable[[dict[str, Any]], None]) -> LessonPlan:
    """Return a plan in which each problem that can be routed has one teacher; the purifier is fitted for it.

    A share of the problems (`plan.explore`) keeps all its teachers, so that the labels go on.

    Raises:
        RunError: If the purifier fails.
    """
    await on_model_thread(prepare, context, plan.cycle)
    if not hasattr(context.purifier, "route"):
        return plan
    problems = {problem.id: problem for problem in problems_of(context, Split.TRAIN, plan.cycle)}
    wanted = [problems[a.problem_id] for a in plan.assignments if len(a.teachers) > 1]
    teachers = [name for name in context.roster.left if any(name in a.teachers for a in plan.assignments)]
    scores = await on_model_thread(_chances, context, wanted, teachers) if wanted else {}
    routed = tuple(
        _routed(context, plan.cycle, one, problems[one.problem_id], scores.get(one.problem_id, {}))
        for one in plan.assignments
    )
    write({"kind": "note", "cycle": plan.cycle, "text": _told(context, plan.assignments, routed)})
    return plan.model_copy(update={"assignments": routed})


def _chances(context: RunContext, problems: Sequence[Problem], teachers: Sequence[str]) -> dict[str, dict[str, float]]:
    purifier: Any = context.purifier
    with guard(context, "route"):
        return scores_of(purifier.route(problems, teachers), {})


def prepare(context: RunContext, cycle: int) -> None:
    """Fit a purifier that learns on what earlier cycles showed, once a cycle; a resumed run reads what is saved."""
    if not hasattr(context.purifier, "fit"):
        return
    folder = context.rundir.path / "routers" / f"cycle-{cycle:03d}"
    if context.purifier_call.learnt == folder:
        return
    if folder.exists():
        _call(context, "load", folder)
    else:
        _fit(context, cycle, folder)
    context.purifier_call.learnt = folder


def _fit(context: RunContext, cycle: int, folder: Path) -> None:
    """Fit the purifier, and save it in a folder that is there whole or not at all."""
    before = folder.with_name(f"cycle-{cycle - 1:03d}")
    if before.exists() and context.purifier_call.learnt != before:
        _call(context, "load", before)  # a resumed run has a purifier that has learnt nothing yet
    _call(context, "fit", list(evidence(context, cycle)))
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _call(context, "save", partial)
    partial.rename(folder)


def evidence(context: RunContext, cycle: int) -> Iterator[Evidence]:
    """Yield what is known of the rationales of earlier cycles, the oldest first."""
    problems = {problem.id: problem for problem in problems_of(context, Split.TRAIN, cycle)}
    for earlier in range(1, cycle):
        fixed = _fixed(context, earlier)
        taught = {lesson.rationale_id for lesson in context.rundir.lessons(earlier)}
        for some in last_words(context.rundir.rationales(earlier)).values():
            for one in some:
                if one.teacher in context.teachers and one.rejected not in _UNTOLD:
                    yield Evidence(
                        problem=problems[one.problem_id],
                        teacher=one.teacher,
                        text="" if one.rejected in NO_TEXT else one.text,
                        verified=one.verified,
                        wrong_step=one.wrong_step is not None,
                        fixed=fixed.get(one.id),
                        scores=one.scores,
                        cycle=earlier,
                        taught=one.id in taught,
                    )


def _fixed(context: RunContext, cycle: int) -> dict[str, bool]:
    """Say of the rationales that were taught in an accepted cycle whether the student that it made was then right."""
    if not accepted(context.rundir.reports(), cycle):
        return {}
    student = checkpoint_of(cycle)
    later = range(cycle, cycle + 2)  # it is examined at the end of its cycle or at the beginning of the next
    attempts = [
        a
        for c in later
        for a in context.rundir.attempts(c)
        if a.student == student and a.split is Split.TRAIN and a.sample == 0
    ]
    right = {attempt.problem_id: attempt.correct for attempt in attempts}
    taught = [lesson for lesson in context.rundir.lessons(cycle) if lesson.rationale_id]
    return {str(one.rationale_id): right[one.problem_id] for one in taught if one.problem_id in right}


def _routed(
    context: RunContext, cycle: int, one: Assignment, problem: Problem, scores: Mapping[str, float]
) -> Assignment:
    able = _able(context, problem, one.teachers)
    known = {name: score for name, score in scores.items() if name in able}
    if not known:
        return one
    draw = random.Random(content_hash(context.config.seed, cycle, one.problem_id, "explore"))
    explores = draw.random() < context.config.plan.explore
    chosen = one.teachers if explores else (max(known, key=known.__getitem__),)
    return one.model_copy(update={"teachers": chosen, "scores": {name: round(x, 6) for name, x in known.items()}})


def _able(context: RunContext, problem: Problem, names: Sequence[str]) -> list[str]:
    """Leave out the teachers that say of a problem that they cannot teach it."""

    def able(name: str) -> bool:
        try:
            return bool(getattr(context.teachers[name], "can_teach", lambda _: True)(problem))
        except Exception:  # of somebody's plug-in: it is asked, and what becomes of that counts
            return True

    return [name for name in names if able(name)]


def _told(context: RunContext, before: tuple[Assignment, ...], after: tuple[Assignment, ...]) -> str:
    """Say how many calls are saved, or why none is."""
    drafts = context.config.teach.drafts
    calls, left = (sum(len(one.teachers) for one in some) * drafts for some in (before, after))
    if calls == left:
        return f"purifier {context.purifier_name}: {_why_all(context, before, after)}; all teachers are asked"
    asked = Counter(one.teachers[0] for one in after if one.routed)
    told = ", ".join(f"{name} {count}" for name, count in sorted(asked.items()))
    return f"purifier {context.purifier_name}: {calls - left} of {calls} calls saved ({told})"


def _why_all(context: RunContext, before: tuple[Assignment, ...], after: tuple[Assignment, ...]) -> str:
    if not any(len(one.teachers) > 1 for one in before):
        return "routing needs two teachers"
    if any(one.scores for one in after):
        return "every problem is kept to explore (plan.explore)"
    return getattr(context.purifier, "not_ready", None) or "nothing to route"


def _call(context: RunContext, method: str, *given: Any) -> Any:
    with guard(context, method):
        return getattr(context.purifier, method)(*given)
