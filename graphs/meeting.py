"""Introduce the student to a purifier that asks for it, and make it known to teachers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite

from ..errors import RunError
from ..schema import Problem, Split
from ..seams import CurrentStudent
from ..strategies import prompt_with, read_library
from ..tagging import tagged
from .context import RunContext
from .exam import known_attempts
from .guard import guard
from .state import CycleState


def introduce(context: RunContext, state: CycleState) -> None:
    """Call the purifier's `meet`, if it has one.

    Raises:
        RunError: If it raises, or the cycle has no diagnosis.
    """
    meet = getattr(context.purifier, "meet", None)
    if meet is None:
        return
    student = current_student(context, state)
    with guard(context, "meet"):
        meet(student)


def current_student(context: RunContext, state: CycleState) -> CurrentStudent:
    """Return the student of a cycle that has been diagnosed."""
    cycle, student = state["cycle"], state["student"]
    diagnosis = context.rundir.diagnosis(cycle)
    if diagnosis is None:
        raise RunError(f"{context.rundir.file('diagnoses', cycle, 'json')}: missing; the run directory was changed?")
    checkpoint = context.checkpoint(student)
    attempts = known_attempts(context, student, Split.PROBE, cycle)
    return CurrentStudent(
        cycle=cycle,
        seed=context.config.seed * 1000 + cycle,
        engine=context.engine,
        checkpoint=checkpoint,
        prompt=partial(prompt_with, read_library(checkpoint), context.task.instruction),
        likelihoods=_likelihoods(context, checkpoint),
        grade=context.task.grade,
        diagnosis=diagnosis,
        probe=[
            (p, attempts[p.id, 0])
            for p in tagged(context.problems[Split.PROBE], diagnosis.discovered)
            if (p.id, 0) in attempts
        ],
        made_in=next((report.cycle for report in context.rundir.reports() if report.student == student), 0),
    )


def _likelihoods(context: RunContext, checkpoint: str) -> Callable[[Sequence[tuple[Problem, str]]], list[float]] | None:
    measure = getattr(context.engine, "likelihoods", None)
    if measure is None:
        return None
    prompt = partial(prompt_with, read_library(checkpoint), context.task.instruction)

    def likelihoods(answers: Sequence[tuple[Problem, str]]) -> list[float]:
        found = list(measure(checkpoint, [(prompt(problem.question, ()), text) for problem, text in answers]))
        for (problem, _), value in zip(answers, found, strict=True):
            if not isfinite(value):
                raise RunError(
                    f"engine: the likelihood of a text for problem {problem.id} is {value}; the student {checkpoint} "
                    "is broken: begin anew with a lower learning rate, or look into the engine"
                )
        return found

    return likelihoods
