"""Read the nested fields that the published files of edits have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import InputError
from ..rows import Row
from .fact import Hop, Unrelated


def inner(row: Row, column: str) -> Row:
    """Return the object in a field as a row of its own.

    Raises:
        InputError: If it is missing or no object.
    """
    value = row.get(column)
    if not isinstance(value, Mapping):
        raise InputError(f"{row.where}: {column}: is a {type(value).__name__}, not an object; see docs/editing.md")
    return Row(f"{row.where}: {column}", value)


def texts(row: Row, column: str) -> tuple[str, ...]:
    """Return a field that holds a text, or a list of texts or of lists of texts, without repetitions.

    Raises:
        InputError: If it is missing or holds anything else, or no text.
    """
    found = _texts(row, column)
    if not found:
        raise InputError(f"{row.where}: {column}: is empty; fill it in or remove the entry")
    return found


def optional_texts(row: Row, column: str) -> tuple[str, ...]:
    """Return a field as `texts` does; nothing where it is missing, null or empty."""
    return texts(row, column) if row.fields.get(column) else ()


def _texts(row: Row, column: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_flat(row, column, row.get(column))))


def _flat(row: Row, column: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _flat(row, column, one)
    elif isinstance(value, str | int | float):
        if text := str(value).strip():
            yield text
    else:
        raise InputError(f"{row.where}: {column}: holds a {type(value).__name__}, not text; mend or remove the entry")


def as_question(text: str) -> str:
    """Return a question as a person writes it: ZsRE marks some `nq question: ` and leaves out the question mark."""
    bare = text.strip().removeprefix("nq question: ").strip()
    return bare[:1].upper() + bare[1:] + ("" if bare.endswith(("?", ".", "!")) else "?")


def as_sentence(text: str) -> str:
    """Return a request to complete the beginning of a sentence."""
    return f"Complete the sentence: {text.strip()} ..."


def hops(row: Row) -> Iterator[Hop]:
    """Yield the questions under `portability`, if any.

    Either `New Question` and `New Answer` (EasyEdit's additions to ZsRE and CounterFact), or lists of `prompt` and
    `ground_truth` by sort (KnowEdit, arXiv 2401.01286).
    """
    if not row.fields.get("portability"):
        return
    told = inner(row, "portability")
    if "New Question" in told.fields:
        answer, *aliases = texts(told, "New Answer")
        yield Hop(question=as_question(told.text("New Question")), answer=answer, aliases=tuple(aliases))
        return
    for question, (answer, *aliases) in _asked(told):
        yield Hop(question=question, answer=answer, aliases=tuple(aliases))


def localities(row: Row) -> Iterator[Unrelated]:
    """Yield the questions under `locality`, if any, as KnowEdit has them."""
    if row.fields.get("locality"):
        for question, (answer, *aliases) in _asked(inner(row, "locality")):
            yield Unrelated(question=question, answer=answer, aliases=tuple(aliases))


def _asked(told: Row) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the questions of all sorts with their answers.

    Those without an answer are passed over, as EasyEdit does: the published files have some.
    """
    for sort, asked in told.fields.items():
        for number, one in enumerate(asked if isinstance(asked, list) else [asked] if asked else [], 1):
            where = f"{told.where}: {sort}: {number}"
            if not isinstance(one, Mapping):
                raise InputError(f"{where}: is a {type(one).__name__}, not an object with prompt and ground_truth")
            each = Row(where, one)
            answers = _texts(each, "ground_truth")
            for prompt in texts(each, "prompt") if answers else ():
                yield as_prompt(prompt), answers


def as_prompt(text: str) -> str:
    """Return a question as it is, and the beginning of a sentence as a request to complete it."""
    return as_question(text) if text.strip().endswith("?") else as_sentence(text)
