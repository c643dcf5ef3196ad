"""Grades sampled texts, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...schema import Grade, Problem
from ...seams import Task


class Graded(NamedTuple):
    """A sampled text with all that a part of the reward looks at."""

    problem: Problem
    text: str
    grade: Grade
    stopped: bool
    """Whether it ended its turn by itself."""


class Grader:
    """Grades each sampled text once, however many look at it."""

    def __init__(self, task: Task, problems: Mapping[str, Problem], ends: frozenset[int]) -> None:
        """Take what grading needs.

        Args:
            task: Grades the texts.
            problems: By id.
            ends: Token ids that end a turn.
        """
        self.task, self.problems, self.ends = task, problems, ends
        self._known: dict[tuple[str, str], Grade] = {}

    def forget(self) -> None:
        """Drop the grades that are kept: a new batch of samples comes."""
        self._known.clear()

    def grade(self, problem_id: str, text: str) -> Grade:
        """Return what the task says of a text."""
        key = problem_id, text.strip()
        if key not in self._known:
            self._known[key] = self.task.grade(self.problems[problem_id], key[1])
        return self._known[key]

    def is_right(self, problem_id: str, text: str) -> bool:
        """Whether a text is right, as in an exam."""
        return self.grade(problem_id, text).score >= 1.0

    def graded(self, ids: Sequence[str], completions: Sequence[Any], tokens: Sequence[Sequence[int]]) -> list[Graded]:
        """Return each sample of a batch with its grade.

        Args:
            ids: Of the problems.
            completions: The samples as lists of messages.
            tokens: Their token ids.
        """
        return [self._graded(*row) for row in zip(ids, completions, tokens, strict=True)]

    def _graded(self, problem_id: str, completion: Any, tokens: Sequence[int]) -> Graded:
        text = str(completion[-1]["content"]).strip()
        stopped = bool(tokens) and tokens[-1] in self.ends
        return Graded(self.problems[problem_id], text, self.grade(problem_id, text), stopped)
