"""One part of the reward."""

from __future__ import annotations

from typing import Protocol

from ...schema import Grade, Problem


class Reward(Protocol):
    """One part of the reward: a pure function of one sampled answer."""

    def __call__(self, problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
        """Return what the answer is worth; in [0, 1], so that weights can be compared.

        Args:
            problem: What was asked.
            text: What the student said; any text.
            grade: What the task says of it.
            stopped: Whether it ended its turn by itself.
        """
        ...
