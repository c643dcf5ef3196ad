"""Multiple-choice problems: lettered choices in the question, a letter or the choice's text as the answer."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ..answers import extract_answer, normalise
from ..errors import InputError
from ..prerequisites import read_prerequisites
from ..schema import Grade, Problem, Split
from .rows import Format, Row
from .source import Source, Splits, as_reference, as_skills

_LETTER = re.compile(r"[*_\s]*\(?([A-Za-z])(?:[).:]|[*_\s]*$)")


class MultipleChoiceTask:
    """A task over questions with choices.

    Args:
        path: As for `dataset`.
        question: Column of the question, without the choices.
        answer: Column of the gold answer: a label, an index from 0, or a choice's text.
        choices: Column of the choices: a list of texts, a mapping from label to text, or `{"label": [...],
            "text": [...]}` as ARC has them. They are lettered anew.
        reference: Column of the rationale.
        skills: Column of the skill or list of skills.
        format: As for `dataset`.
        split_column: As for `dataset`.
        sizes: As for `dataset`.
        seed: Another seed cuts otherwise.
        instruction: The system message of exam and lessons.
        prerequisites: Which skills build on which: a mapping of a skill to a list of skills, or the path of a YAML or
            JSON file that holds one.
    """

    def __init__(
        self,
        path: str | dict[Split, str],
        question: str = "question",
        answer: str = "answer",
        choices: str = "choices",
        reference: str | None = None,
        skills: str | None = None,
        format: Format = "auto",
        split_column: str | None = None,
        sizes: dict[Split, int] | None = None,
        seed: int = 0,
        instruction: str | None = "Choose the right answer. End with 'Answer:' and its letter.",
        prerequisites: str | dict[str, list[str]] | None = None,
    ) -> None:
        self.instruction = instruction
        self._builds_on = read_prerequisites(prerequisites, "task: prerequisites")
        self.source = Source(path, format, split_column, sizes, seed)
        self._question, self._answer, self._choices = question, answer, choices
        self._reference, self._skills = reference, skills

    def splits(self) -> Mapping[Split, Sequence[Problem]]:
        """Return the problems of each split; their answers are letters.

        Raises:
            InputError: Naming file, line and field of the first thing that is wrong with the data.
        """
        return self._splits

    def prerequisites(self) -> Mapping[str, Sequence[str]]:
        """Return which skills build on which, as far as the options say."""
        return self._builds_on

    def grade(self, problem: Problem, text: str) -> Grade:
        """Accept the gold letter, or its choice's text, after the last `Answer:` or as the whole text."""
        answer = extract_answer(text)
        if answer is None and len(text.strip().splitlines()) == 1:
            answer = text.strip()
        if answer is None:
            return Grade(None, 0.0)
        letter = chosen(answer, problem.metadata.get("choices", {}))
        return Grade(letter or answer, float(letter == problem.answer))

    @cached_property
    def _splits(self) -> Splits:
        return self.source.load(self._problem, self.grade)

    def _problem(self, row: Row) -> Problem:
        labelled = self._labelled(row)
        lettered = dict(zip(string.ascii_uppercase, labelled.values(), strict=False))
        lines = [row.text(self._question), *(f"{letter}. {text}" for letter, text in lettered.items())]
        return Problem(
            question="\n".join(lines),
            answer=self._gold(row, labelled),
            skills=as_skills(row, self._skills),
            reference=as_reference(row, self._reference),
            metadata={"choices": lettered},
        )

    def _labelled(self, row: Row) -> dict[str, str]:
        """Read the choices as texts by the data set's own labels, letters where it has none."""
        value = row.get(self._choices)
        labels, texts = _pairs(value)
        labels = labels or list(string.ascii_uppercase[: len(texts)])
        wrong = None
        if not all(isinstance(text, str | int | float) and str(text).strip() for text in texts):
            wrong = "each choice must be a text"
        elif not 2 <= len(texts) <= len(string.ascii_uppercase) or len(labels) != len(texts):
            wrong = f"{len(labels)} labels for {len(texts)} choices; give 2 to 26 choices with a label each"
        elif len({normalise(str(text)) for text in texts}) < len(texts) or len(set(map(str, labels))) < len(labels):
            wrong = "two choices are the same; make them differ"
        if wrong:
            raise InputError(f"{row.where}: {self._choices}: {wrong}")
        return {str(label).strip(): str(text).strip() for label, text in zip(labels, texts, strict=True)}

    def _gold(self, row: Row, labelled: Mapping[str, str]) -> str:
        """Return the letter of the gold choice, which may be given by label, text or index."""
        gold = row.text(self._answer)
        labels, texts = list(labelled), [normalise(text) for text in labelled.values()]
        at = None
        if isinstance(row.get(self._answer), int) and gold not in labels:
            at = int(gold)
        elif gold in labels or gold.upper() in labels:
            at = labels.index(gold if gold in labels else gold.upper())
        elif normalise(gold) in texts:
            at = texts.index(normalise(gold))
        elif gold.isdecimal() and gold.isascii():
            at = int(gold[:9])
        if at is None or not 0 <= at < len(labels):
            raise InputError(
                f"{row.where}: {self._answer}: {gold[:60]!r} is none of the {len(labels)} choices; "
                "give a label, a choice's text or an index from 0"
            )
        return string.ascii_uppercase[at]


def chosen(answer: str, choices: Mapping[str, Any]) -> str | None:
    """Return the letter that an answer stands for: `B`, `(B)`, `b.`, `B. Paris` or `Paris`; None if none does."""
    texts = {normalise(str(text)): letter for letter, text in choices.items()}
    by_text = texts.get(normalise(answer))
    # A lone letter is a label even where some choice's text is that letter.
    if by_text and len(normalise(answer)) > 1:
        return by_text
    match = _LETTER.match(answer)
    letter = match.group(1).upper() if match else None
    return letter if letter in choices else by_text


def _pairs(value: Any) -> tuple[list[Any], list[Any]]:
    """Return labels (empty if there are none) and texts of a choices field; nothing if it is of no known form."""
    if isinstance(value, Mapping):
        if set(value) == {"label", "text"} and all(isinstance(part, list | tuple) for part in value.values()):
            return list(value["label"]), list(value["text"])
        return list(value), list(value.values())
    if isinstance(value, list | tuple):
        return [], list(value)
    return [], []
