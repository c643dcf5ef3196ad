"""Examine: the current student answers the probe split and the train problems that are due."""

from __future__ import annotations

from collections import defaultdict

from langgraph.runtime import Runtime

from ..lineage import accepted
from ..memory.journal import OutcomeEntry
from ..model_thread import on_model_thread
from ..schema import Attempt, Lesson, Problem, Split
from .context import RunContext
from .exam import examine_split
from .state import CycleState
from .step import step


@step
async def examine(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Examine, and tell the memory whether what was taught has helped."""
    context, cycle, student = runtime.context, state["cycle"], state["student"]
    problems = context.problems[Split.PROBE]
    await examine_split(
        context, runtime.stream_writer, cycle=cycle, student=student, split=Split.PROBE, problems=problems
    )
    due = due_problems(context, cycle)
    attempts = await examine_split(
        context,
        runtime.stream_writer,
        cycle=cycle,
        student=student,
        split=Split.TRAIN,
        problems=due,
        samples=context.config.exam.samples,
    )
    await on_model_thread(_remember_outcomes, context, cycle, attempts)
    return CycleState(cycle=cycle)


def due_problems(context: RunContext, cycle: int) -> list[Problem]:
    """Return the train problems due: those taught in the last cycle first, then new ones in the task's order.

    Without a limit all are due, in the task's order.
    """
    train = context.problems[Split.TRAIN]
    if context.config.exam.due is None:
        return list(train)
    taught_last = taught_problems(context, cycle - 1)
    seen = {lesson.problem_id for earlier in range(1, cycle) for lesson in context.rundir.lessons(earlier)}
    new = [problem for problem in train if problem.id not in seen]
    return [*taught_last, *new][: context.config.exam.due]


def taught_problems(context: RunContext, cycle: int) -> list[Problem]:
    """Return the problems taught in a cycle, in the plan's order, as many as are examined at once."""
    train = {problem.id: problem for problem in context.problems[Split.TRAIN]}
    taught = dict.fromkeys(lesson.problem_id for lesson in context.rundir.lessons(cycle))
    return [train[i] for i in taught if i in train][: context.config.exam.due]


def _remember_outcomes(context: RunContext, cycle: int, attempts: list[Attempt]) -> None:
    """Note for each error that was taught in the last cycle whether the student is right now."""
    if cycle < 2 or not accepted(context.rundir.reports(), cycle - 1):
        return  # a student that was rolled back says nothing of its lessons
    correct = {a.problem_id: a.correct for a in attempts if a.sample == 0}
    lessons: defaultdict[str, list[Lesson]] = defaultdict(list)
    for lesson in context.rundir.lessons(cycle - 1):
        lessons[lesson.problem_id].append(lesson)
    context.memory.record_outcomes(
        OutcomeEntry(
            error_id=error.id,
            rationale_id=lesson.rationale_id,
            taught=lesson.text,
            fixed=correct[error.problem_id],
            cycle=cycle - 1,
        )
        for error in context.memory.journal.errors.values()
        if error.cycle < cycle and error.problem_id in correct
        for lesson in lessons.get(error.problem_id, ())
    )
