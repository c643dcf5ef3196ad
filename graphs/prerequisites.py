"""Ask a task which of its skills build on which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InputError, one_line
from ..prerequisites import read_mapping
from ..schema import Problem, Split
from ..seams import Task


def task_prerequisites(task: Task, name: str) -> dict[str, tuple[str, ...]]:
    """Return what a task offers as prerequisites of its skills; nothing if it offers none.

    Args:
        task: May have `prerequisites()`.
        name: The task's name, for a refusal.

    Raises:
        InputError: If that fails, or what it returns is no mapping of skills to lists of skills, or has a cycle.
    """
    ask = getattr(task, "prerequisites", None)
    if ask is None:
        return {}
    try:
        offered = ask()
    except InputError:
        raise
    except Exception as error:  # of somebody's plug-in
        raise InputError(f"tasks: {name}: prerequisites: {one_line(error)}; mend the plug-in") from error
    return read_mapping(offered, f"tasks: {name}")


def known_skills(problems: Mapping[Split, Sequence[Problem]]) -> set[str]:
    """Return the skills that a diagnosis may meet; none if a problem has no tags, since some are yet to come."""
    some = [one for split in (Split.PROBE, Split.TRAIN, Split.CHECK) for one in problems.get(split, ())]
    return {skill for one in some for skill in one.skills} if all(one.skills for one in some) else set()
