"""Strategise: keep the library of strategies, one a weakness; one that does not help is written anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ..ledger import ledger_scope
from ..lineage import lineage
from ..schema import Diagnosis, Lesson, Split, Strategy, StrategyRequest, Weakness
from .context import RunContext
from .exam import known_attempts
from .lesson.call import DECLINED, Written
from .teach import HALF

TEXT_CAP = 400
"""Characters of a strategy: it stands before every question that it is for."""
MOST_LESSONS = 8
"""Lessons that a teacher is shown to write a strategy from, and that the strategy is for."""


async def write_library(
    context: RunContext, write: Callable[[dict[str, Any]], None], cycle: int, student: str
) -> tuple[Strategy, ...]:
    """Return the library of a cycle, and write it to the run directory; what is there already is not written again.

    A weakness with verified lessons gets a strategy if it has none, or if the student, who was shown the one it has,
    is still wrong more often than not at the problems it is for. A new one is told from those of every earlier cycle,
    also of one that was rolled back.
    """
    written = context.rundir.strategies(cycle)
    if written is None:
        diagnosis = context.rundir.diagnosis(cycle)
        library = {strategy.weakness: strategy for strategy in _inherited(context, student)}
        failed = _failed(context, cycle, student, list(library.values()))
        tried = [one for earlier in range(1, cycle) for one in context.rundir.strategies(earlier) or ()]
        for weakness, lessons in _taught(context, cycle, diagnosis).items():
            if weakness.name not in library or weakness.name in failed:
                before = [one for one in tried if one.weakness == weakness.name]
                library[weakness.name] = await _write(context, write, weakness, lessons, before)
        written = list(library.values())
        context.rundir.write_strategies(cycle, written)
    return tuple(written)


def _inherited(context: RunContext, student: str) -> list[Strategy]:
    """Return the library that a student goes by."""
    line = lineage(context.rundir.reports(), student)
    return (context.rundir.strategies(line[-1].cycle) or []) if line else []


def _failed(context: RunContext, cycle: int, student: str, library: Sequence[Strategy]) -> set[str]:
    """Return the weaknesses whose strategy has not brought their problems to half."""
    right = {a.problem_id: a.correct for a in known_attempts(context, student, Split.TRAIN, cycle).values()}
    failed = set()
    for strategy in library:
        marks = [right[problem] for problem in strategy.problem_ids if problem in right]
        if marks and sum(marks) / len(marks) < HALF:
            failed.add(strategy.weakness)
    return failed


def _taught(context: RunContext, cycle: int, diagnosis: Diagnosis | None) -> dict[Weakness, list[Lesson]]:
    """Return the cycle's lessons from teachers by the weakness that they were planned for, the shortest first."""
    plan = context.rundir.plan(cycle)
    planned = {a.problem_id: a.weakness for a in plan.assignments} if plan else {}
    by_name: dict[str | None, list[Lesson]] = defaultdict(list)
    for lesson in sorted(context.rundir.lessons(cycle), key=lambda one: len(one.text)):
        if lesson.rationale_id:
            by_name[planned.get(lesson.problem_id)].append(lesson)
    return {w: by_name[w.name][:MOST_LESSONS] for w in (diagnosis.taught if diagnosis else ()) if by_name[w.name]}


async def _write(
    context: RunContext,
    write: Callable[[dict[str, Any]], None],
    weakness: Weakness,
    lessons: Sequence[Lesson],
    tried: Sequence[Strategy],
) -> Strategy:
    """Take the shortest lesson that was not tried as the example, and ask its teacher how such problems are done.

    One that is benched is not asked: the example then stands alone.
    """
    shown = {one.example for one in tried}
    example = next((one for one in lessons if one.text not in shown), lessons[0])
    cycle = example.cycle
    failed = tuple(dict.fromkeys(one.text for one in tried if one.text))
    request = StrategyRequest(weakness=weakness, lessons=tuple(lessons), failed=failed, cycle=cycle)
    told = Written("", {}, DECLINED)
    if example.origin in context.roster.left:
        with ledger_scope(cycle=cycle, agent=example.origin, problem_id=example.problem_id):
            told = await context.roster.calls[example.origin].strategise(request)
    if told.rejected and told.text:
        write({"kind": "note", "cycle": cycle, "text": told.text})
    return Strategy(
        weakness=weakness.name,
        text="" if told.rejected else " ".join(told.text.split())[:TEXT_CAP],
        question=example.question,
        example=example.text,
        rationale_id=example.rationale_id or "",
        teacher=example.origin,
        cycle=cycle,
        questions=tuple(lesson.question for lesson in lessons),
        problem_ids=tuple(lesson.problem_id for lesson in lessons),
    )
