"""What a sampled answer is worth: named parts, each in [0, 1], added up by weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..errors import InputError, did_you_mean
from ..plugins import resolve
from ..schema import Grade, Problem
from ..seams import Task


class Reward(Protocol):
    """One part of the reward."""

    def __call__(self, problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
        """Return what the answer is worth.

        Args:
            problem: What was asked.
            text: What the student said.
            grade: What the task says of it.
            stopped: Whether it ended its turn by itself.
        """
        ...


def correct(problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
    """Return the task's score."""
    return grade.score


def well_formed(problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
    """Return 1 for an answer that has a final answer and ends, right or wrong."""
    return float(grade.answer is not None and stopped)


REWARDS: dict[str, Reward] = {"correct": correct, "format": well_formed}
"""The built-in parts; others are given as `module:attribute`."""


def find_rewards(weights: Mapping[str, float]) -> dict[str, Reward]:
    """Return the parts by name.

    Raises:
        InputError: If a name is unknown, or there is no weight to earn.
    """
    if not any(weights.values()):
        raise InputError("stages: grpo: rewards: no part has a weight; use for instance {correct: 1.0}")
    return {name: _find(name) for name in weights}


def _find(name: str) -> Reward:
    if name in REWARDS:
        return REWARDS[name]
    if ":" not in name:
        raise InputError(f"stages: grpo: rewards: unknown part {name!r}; {did_you_mean(name, REWARDS)}")
    found = resolve("rewards", name)
    if not callable(found):
        raise InputError(f"stages: grpo: rewards: {name!r} is not a function; see tutelage.training.rewards.Reward")
    reward: Reward = found
    return reward


class Grader:
    """Grades each sampled text once, however many parts of the reward look at it."""

    def __init__(self, task: Task, problems: Mapping[str, Problem], ends: frozenset[int]) -> None:
        """Take what grading needs.

        Args:
            task: Grades the texts.
            problems: By id.
            ends: Token ids that end a turn.
        """
        self.task, self.problems, self.ends = task, problems, ends
        self._last: tuple[Any, list[tuple[Problem, str, Grade, bool]]] = (None, [])

    def graded(
        self, ids: Sequence[str], completions: Sequence[Any], tokens: Sequence[Sequence[int]]
    ) -> list[tuple[Problem, str, Grade, bool]]:
        """Return problem, text, grade and whether it stopped, for each sample of a batch."""
        if self._last[0] is not completions:  # TRL hands every part the same list
            self._last = (completions, [self._grade(*row) for row in zip(ids, completions, tokens, strict=True)])
        return self._last[1]

    def _grade(self, problem_id: str, completion: Any, tokens: Sequence[int]) -> tuple[Problem, str, Grade, bool]:
        problem = self.problems[problem_id]
        text = str(completion[-1]["content"]).strip()
        return problem, text, self.task.grade(problem, text), bool(tokens) and tokens[-1] in self.ends


def as_trl(name: str, reward: Reward, grader: Grader) -> Callable[..., list[float]]:
    """Return a part of the reward as TRL calls it: a batch at a time, the rows' columns as lists."""

    def batch(
        *, completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], problem_id: Sequence[str], **_: Any
    ) -> list[float]:
        return [float(reward(*row)) for row in grader.graded(problem_id, completions, completion_ids)]

    batch.__name__ = name  # TRL logs the part under this name
    return batch
