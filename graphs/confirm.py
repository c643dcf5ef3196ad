"""Confirm: every weakness is tested on fresh problems before it is taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..agents.confirmation import LEAST, MASTERED, confirm
from ..model_thread import on_model_thread
from ..schema import Attempt, Confirmation, Diagnosis, FreshProblem, Split
from .context import RunContext
from .exam import Writer, examine_split
from .fresh import draw_fresh


async def confirm_weaknesses(context: RunContext, write: Writer, diagnosis: Diagnosis) -> Diagnosis:
    """Return a diagnosis with the verdict of a test in each weakness.

    Drawn problems are in the run directory before the first is asked, and answers as they come. A student whose
    weakness has a verdict of an earlier cycle, as after a rollback, is not tested on it again. A weakness of which
    fewer than 4 fresh answers tell something (fewer than `exam.confirm`, if that is less) has no verdict.
    """
    if not context.config.exam.confirm:
        return diagnosis
    cycle, student = diagnosis.cycle, diagnosis.student
    before = _tested_before(context, cycle, student)
    untested = [one for one in diagnosis.weaknesses if one.confirmation is None and one.name not in before]
    drawn = context.rundir.fresh(cycle)
    if drawn is None:
        drawn = await on_model_thread(draw_fresh, context, diagnosis, untested)
        context.rundir.write_fresh(cycle, drawn)
    answers = await _ask(context, write, cycle, student, drawn)
    threshold = float(getattr(context.diagnostician, "threshold", MASTERED))
    least = min(LEAST, context.config.exam.confirm)
    found: dict[str, Confirmation | None] = {}
    for weakness in untested:
        tests = [(one.problem, answers[one.problem.id]) for one in drawn if weakness.name in one.weaknesses]
        found[weakness.name] = confirm(weakness, tests, diagnosis, threshold, least)
    tested = [
        one.model_copy(update={"confirmation": one.confirmation or before.get(one.name) or found.get(one.name)})
        for one in diagnosis.weaknesses
    ]
    return diagnosis.model_copy(update={"weaknesses": tuple(tested)})


def asked_afresh(context: RunContext, cycle: int, student: str) -> set[str]:
    """Return the ids of the problems that a student was asked up to a cycle to test weaknesses on.

    Their answers are no ground for a diagnosis: they would name what they are to confirm.
    """
    rows = [one for c in range(1, cycle + 1) for one in context.rundir.fresh(c) or ()]
    return {one.problem.id for one in rows if one.student == student}


def _tested_before(context: RunContext, cycle: int, student: str) -> Mapping[str, Confirmation]:
    """Return the verdicts on a student in earlier cycles, by the name of the weakness."""
    earlier = [found for c in range(1, cycle) if (found := context.rundir.diagnosis(c)) and found.student == student]
    return {one.name: one.confirmation for found in earlier for one in found.weaknesses if one.confirmation}


async def _ask(
    context: RunContext, write: Writer, cycle: int, student: str, drawn: Sequence[FreshProblem]
) -> dict[str, Attempt]:
    """Return the student's greedy answer to each fresh problem, by its id."""
    answers: dict[str, Attempt] = {}
    for split in (Split.CHECK, Split.TRAIN):
        problems = [one.problem for one in drawn if one.split is split]
        if problems:
            made = await examine_split(context, write, cycle=cycle, student=student, split=split, problems=problems)
            answers |= {attempt.problem_id: attempt for attempt in made}
    return answers
