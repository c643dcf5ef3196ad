"""Check, before anything is paid for, that a task can be learned and examined at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..config import REQUIRED_SPLITS
from ..errors import InputError
from ..schema import Problem, Split
from ..seams import Task

Splits = Mapping[Split, Sequence[Problem]]


def check_splits(task: Task, required: Sequence[Split] = REQUIRED_SPLITS) -> None:
    """Check a task's splits and its grader.

    Args:
        task: The task; its splits are drawn.
        required: The splits that must hold problems.

    Raises:
        InputError: If a required split is missing or empty, if a problem or question occurs twice, or if the
            task does not grade its own gold answer as right.
    """
    splits = task.splits()
    for split in required:
        if not splits.get(split):
            raise InputError(f"task: split {split.value!r} is empty; give it at least one problem")
    _check_overlap(splits)
    for split, problems in splits.items():
        for index, problem in enumerate(problems):
            if task.grade(problem, f"Answer: {problem.answer}").score < 1:
                raise InputError(
                    f"task: {place(split, index, problem)}: its gold answer {_short(problem.answer)!r} is not graded "
                    "as right by the task itself; correct the answer or the grader"
                )


def _check_overlap(splits: Splits) -> None:
    """Raise if two problems share an id or a question, within a split or across two."""
    seen: dict[tuple[str, str], str] = {}
    for split, problems in splits.items():
        for index, problem in enumerate(problems):
            here = place(split, index, problem)
            for key in (("id", problem.id), ("question", problem.question)):
                if key in seen:
                    raise InputError(f"task: {here} has the same {key[0]} as {seen[key]}; remove one of them")
                seen[key] = here


def place(split: Split, index: int, problem: Problem) -> str:
    """Name a problem in an error message."""
    return f"{split.value}[{index}] ({_short(problem.question)!r})"


def _short(text: str, limit: int = 50) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
