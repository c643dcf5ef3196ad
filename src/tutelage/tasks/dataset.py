"""Problems from the user's own data: JSONL, Parquet, a saved data set or one on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from ..answers import extract_answer, same
from ..errors import InputError
from ..prerequisites import read_prerequisites
from ..schema import Grade, Problem, Split
from .rows import Format, Row
from .source import Source, Splits, as_reference, as_skills


class DatasetTask:
    """A task over questions with one gold answer each, compared as text or as numbers.

    Args:
        path: A `.jsonl` or `.parquet` file, a folder written by `save_to_disk`, or a hub id such as
            `openai/gsm8k:main@train`; or one of these for each split.
        question: Column of the question.
        answer: Column of the gold answer.
        reference: Column of the rationale.
        skills: Column of the skill or list of skills.
        format: What the path is; `auto` tells by its suffix.
        split_column: Column that holds `train`, `probe`, `gate`, `test`, `check` or `retention`.
        sizes: Problems per split. A single pile is cut by hash of the question, 60 % train, 10 % probe, 15 % gate
            and 15 % test if this is left out.
        seed: Another seed cuts otherwise.
        answer_after: Text in the answer column after which the gold answer stands, such as `####`; what stands
            before it is the rationale unless `reference` names one.
        instruction: The system message of exam and lessons.
        prerequisites: Which skills build on which: a mapping of a skill to a list of skills, or the path of a YAML or
            JSON file that holds one.
    """

    def __init__(
        self,
        path: str | dict[Split, str],
        question: str = "question",
        answer: str = "answer",
        reference: str | None = None,
        skills: str | None = None,
        format: Format = "auto",
        split_column: str | None = None,
        sizes: dict[Split, int] | None = None,
        seed: int = 0,
        answer_after: str | None = None,
        instruction: str | None = "Work step by step. End with 'Answer:' and the result.",
        prerequisites: str | dict[str, list[str]] | None = None,
    ) -> None:
        self.instruction = instruction
        self._builds_on = read_prerequisites(prerequisites, "task: prerequisites")
        self.source = Source(path, format, split_column, sizes, seed)
        self._question, self._answer = question, answer
        self._reference, self._skills = reference, skills
        self._answer_after = answer_after

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split.

        Raises:
            InputError: Naming file, line and field of the first thing that is wrong with the data.
        """
        return self._splits

    def prerequisites(self) -> Mapping[str, Sequence[str]]:
        """Return which skills build on which, as far as the options say."""
        return self._builds_on

    def grade(self, problem: Problem, text: str) -> Grade:
        """Compare what follows the last `Answer:` with the gold answer."""
        answer = extract_answer(text)
        return Grade(answer, float(answer is not None and same(answer, problem.answer)))

    @cached_property
    def _splits(self) -> Splits:
        return self.source.load(self._problem, self.grade)

    def _problem(self, row: Row) -> Problem:
        gold, reference = row.text(self._answer), as_reference(row, self._reference)
        if self._answer_after is not None:
            before, marker, gold = gold.rpartition(self._answer_after)
            gold = gold.strip()
            if not marker or not gold:
                raise InputError(f"{row.where}: {self._answer}: nothing stands after {self._answer_after!r}")
            reference = reference or (f"{before.strip()}\nAnswer: {gold}" if before.strip() else None)
        return Problem(
            question=row.text(self._question),
            answer=gold,
            skills=as_skills(row, self._skills),
            reference=reference,
        )
