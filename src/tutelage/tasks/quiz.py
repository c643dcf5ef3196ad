"""A short general quiz: what a student knew before it was taught, and should know afterwards.

`quiz.jsonl` holds the questions and `replay.jsonl` other prompts, for training on the base student's own answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Final

from ..answers import contains
from ..errors import InputError
from ..hashing import content_hash
from ..schema import Grade, Problem, Split

MAX_WORDS: Final = 24
"""Words of an answer that are read: a student that lists everything is not right."""


class QuizTask:
    """General questions, asked under the model's own system message and graded by whether the answer occurs.

    Args:
        sizes: `{retention: n}` takes n questions, spread over the categories by hash; all of them if left out.
    """

    instruction: str | None = None

    def __init__(self, sizes: dict[Split, int] | None = None) -> None:
        self.size: int | None = None
        for split, size in (sizes or {}).items():
            if split != Split.RETENTION:
                raise InputError(f"quiz: sizes.{split}: the quiz has the split 'retention' alone")
            if not 1 <= size <= len(self._questions):
                raise InputError(f"quiz: sizes.{split}: {size} is not between 1 and {len(self._questions)}")
            self.size = size

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the questions, as the retention split."""
        return {Split.RETENTION: self._questions[: self.size]}

    def grade(self, problem: Problem, text: str) -> Grade:
        """Look for the answer or one of its aliases as whole words among the first words of a text."""
        opening = " ".join(text.split(maxsplit=MAX_WORDS)[:MAX_WORDS])
        for answer in (problem.answer, *problem.metadata.get("aliases", ())):
            if contains(opening, str(answer)):
                return Grade(str(answer), 1.0)
        return Grade(None, 0.0)

    def rehearsal(self) -> Sequence[str]:
        """Return general questions that are not in the split, for training on the base student's own answers.

        Requests for longer answers and questions of the quiz's own kind take turns while there are both.
        """
        requests = [row["question"] for row in _rows("replay.jsonl")]
        rest = [] if self.size is None else [problem.question for problem in self._questions[self.size :]]
        return [question for pair in zip_longest(requests, rest) for question in pair if question is not None]

    @cached_property
    def _questions(self) -> tuple[Problem, ...]:
        problems = [
            Problem(
                question=row["question"],
                answer=row["answer"],
                skills=tuple(row["skills"]),
                metadata={"aliases": row.get("aliases", [])},
            )
            for row in _rows("quiz.jsonl")
        ]
        return tuple(sorted(problems, key=lambda problem: content_hash("quiz", problem.id)))


def _rows(name: str) -> list[dict[str, Any]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
