"""What is taught: problems, and the rule that grades an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..schema import Grade, Problem, Split


@runtime_checkable
class Task(Protocol):
    """Problems by split, and the rule that grades an answer.

    It may have `prerequisites() -> Mapping[str, Sequence[str]]`: which skills each of its skills builds on, without a
    cycle. Diagnosis and planning go by them.

    It may have `fresh(skill: str | None, count: int, seed: int, known: Collection[str]) -> Sequence[Problem]`, which
    makes at most `count` further problems to test a weakness on: problems that have `skill` among their skills (None:
    of any kind) and whose questions are not among `known`. Another seed gives others; none is an answer where it can
    make none. A task that cannot make problems may hold some out as the split `check` instead.

    It may have `measures(before: Mapping[str, str], after: Mapping[str, str]) -> Mapping[str, Any]`: figures of its
    own, as JSON has them, from what the base student and another one have said to its train and test problems, by
    problem id; there may be fewer. A finished run and `tutelage exam` report them.

    It may have `left_out: Mapping[str, int]`: how much of what it was given it passed over, by reason, such as
    `without an answer`. The doctor and a run say so.
    """

    instruction: str | None
    """The system message under which the student is examined and taught; None for the model's own."""

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split; the same on every call."""
        ...

    def grade(self, problem: Problem, text: str) -> Grade:
        """Find the final answer in a text and score it; never raises on any text.

        `Answer: ` and the gold answer must score 1: a run checks this before it begins.
        """
        ...
