"""A library of strategies beside a checkpoint's weights: found by the question's text, put into the student's prompt.

Only the question is looked at, never its answer or the skills it is tagged with: at inference nothing else is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .jsonl import read_json, write_json
from .records import dump_record, parse_record
from .schema import BASE, Library, Strategy
from .seams import Message
from .student_prompt import student_prompt

FILE = "strategies.json"
_DIGITS = re.compile(r"\d")
_GRAM = 3


def read_library(checkpoint: str) -> Library | None:
    """Return the library of a checkpoint as the engine takes it; None if it has none, as `base` has.

    Raises:
        RunError: If the file is damaged or of another version.
    """
    path = Path(checkpoint) / FILE
    known = checkpoint != BASE and path.is_file()
    return parse_record(read_json(path), Library, path) if known else None


def write_library(folder: Path, library: Library) -> None:
    """Write a checkpoint's library."""
    write_json(folder / FILE, dump_record(library))


def prompt_with(
    library: Library | None, instruction: str | None, question: str, examples: Sequence[tuple[str, str]] = ()
) -> list[Message]:
    """Return the messages a student is asked with, the strategies for the question among them.

    Args:
        library: The student's; None for none.
        instruction: The task's system message; None for none.
        question: What it has to answer; strategies are found for this one, whatever the examples are.
        examples: Questions with their worked solutions, next to the question, after those of the strategies.
    """
    if library is None:
        return student_prompt(instruction, question, examples)
    found = retrieve(library, question)
    told = [strategy.text for strategy in found if strategy.text]
    system = "\n".join([*([instruction] if instruction else []), *told]) or None
    shown = [(strategy.question, strategy.example) for strategy in found] if library.examples else []
    return student_prompt(system, question, [*shown, *examples])


def retrieve(library: Library, question: str) -> list[Strategy]:
    """Return the strategies whose questions are most like this one, the most alike last, next to the question."""
    ranked = sorted(
        ((max(likeness(question, known) for known in strategy.questions), strategy) for strategy in library.strategies),
        key=lambda pair: -pair[0],
    )
    return [strategy for like, strategy in ranked[: library.retrieve] if like >= library.near][::-1]


def likeness(one: str, other: str) -> float:
    """Return how alike two questions look: the Jaccard index of their character trigrams, all digits being alike."""
    first, second = _grams(one), _grams(other)
    return len(first & second) / len(first | second)


def _grams(text: str) -> set[str]:
    shape = f" {_DIGITS.sub('0', ' '.join(text.lower().split()))} "
    return {shape[i : i + _GRAM] for i in range(max(1, len(shape) - _GRAM + 1))}
