"""Measures: a task's own figures, from what the base student and another one say to its train and test problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import RunError, one_line
from ..schema import BASE, Split
from ..seams import Task
from .context import RunContext
from .exam import Writer, examine_split

MEASURED = (Split.TRAIN, Split.TEST)
"""Splits that a task's own figures are about."""

Said = Mapping[str, str]
"""Texts by problem id."""


def has_measures(task: Task) -> bool:
    """Whether a task has figures of its own."""
    return callable(getattr(task, "measures", None))


def task_measures(task: Task, before: Said, after: Said) -> dict[str, Any]:
    """Return a task's own figures.

    Raises:
        RunError: If it cannot make them; a plug-in may fail in any way.
    """
    make: Callable[[Said, Said], Mapping[str, Any]] = getattr(task, "measures")  # noqa: B009 - the seam leaves it open
    try:
        return dict(make(before, after))
    except Exception as error:
        raise RunError(f"the task cannot make its measures: {one_line(error)}; mend the plug-in") from error


async def measure_best(context: RunContext, write: Writer, cycle: int, best: str) -> dict[str, Any] | None:
    """Return the task's own figures of the best student; None if it has none.

    What is not known yet of the base student and the best one is asked: the train problems, as a rule.
    """
    if not has_measures(context.task):
        return None
    said: dict[str, dict[str, str]] = {BASE: {}, best: {}}
    for student, texts in said.items():
        for split in MEASURED:
            attempts = await examine_split(
                context, write, cycle=cycle, student=student, split=split, problems=context.problems[split]
            )
            texts.update({attempt.problem_id: attempt.text for attempt in attempts})
    return task_measures(context.task, said[BASE], said[best])
