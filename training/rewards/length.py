"""Whether the answer is short enough."""

from __future__ import annotations

from dataclasses import dataclass

from ...schema import Grade, Problem


@dataclass(frozen=True)
class Length:
    """1 up to the target length, then a straight line that reaches 0 at twice that.

    Characters are counted: a text cannot hide its length in words or tokens of an odd size.
    """

    target: int
    """Characters."""

    def __call__(self, problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
        """Return what is left of 1."""
        return min(1.0, max(0.0, 2.0 - len(text) / self.target))
