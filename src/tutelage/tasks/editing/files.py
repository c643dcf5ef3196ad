"""Read facts from files: our own JSON Lines, ZsRE, CounterFact, and what EasyEdit makes of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from ... import jsonl
from ...errors import InputError
from ...refusal import first_refused
from ..rows import Row, read_rows
from .counterfact import counterfact_fact
from .easyedit import easyedit_fact
from .fact import Fact
from .zsre import zsre_fact

FactFormat = Literal["auto", "facts", "zsre", "counterfact", "easyedit"]
"""`facts` is our own, one JSON object a line."""

NO_ANSWER = "without a new answer"
SAME_QUESTION = "asked again of the same subject"


class FactFile(NamedTuple):
    """What a file holds."""

    facts: tuple[Fact, ...]
    left_out: Mapping[str, int]
    """How many entries were passed over, by reason."""


def read_facts(path: str, format: FactFormat = "auto", n: int | None = None) -> FactFile:
    """Read the facts of a file, in its order.

    An entry without a new answer (ZsRE has some) is passed over, and so is one whose question an earlier one has edited
    (CounterFact has some); both are counted.

    Args:
        path: A file of one JSON list, or of one JSON object a line.
        format: What it holds; `auto` tells by the fields of the first entry.
        n: Stop after so many facts.

    Raises:
        InputError: Naming file, entry and field of the first thing that is wrong.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path}: holds no facts; give it at least one entry")
    read = _READERS[_format_of(rows[0]) if format == "auto" else format]
    facts: dict[str, Fact] = {}
    left_out, ids = Counter[str](), set[str]()
    for row in rows:
        if n is not None and len(facts) == n:
            break
        fact = read(row)
        if fact is None or fact.question in facts:
            left_out[NO_ANSWER if fact is None else SAME_QUESTION] += 1
        elif fact.id in ids:
            raise InputError(f"{row.where}: id: {fact.id!r} is another fact's too; give each an id of its own, or none")
        else:
            facts[fact.question] = fact
            ids.add(fact.id)
    if not facts or (n is not None and len(facts) < n):
        raise InputError(f"{path}: has {len(facts)} facts of {n or 1} asked for; lower n or give another file")
    return FactFile(tuple(facts.values()), dict(left_out))


def write_facts(path: str | Path, facts: Iterable[Fact]) -> None:
    """Write facts in our own format, which `read_facts` reads."""
    text = "".join(jsonl.dumps(fact.model_dump(mode="json", exclude_defaults=True)) for fact in facts)
    jsonl.write_atomic(Path(path), text)


def _own_fact(row: Row) -> Fact:
    try:
        return Fact.model_validate(dict(row.fields))
    except ValidationError as error:
        raise InputError(f"{row.where}: {first_refused(error, dict(row.fields))}") from error


_READERS: dict[str, Callable[[Row], Fact | None]] = {
    "facts": _own_fact,
    "zsre": zsre_fact,
    "counterfact": counterfact_fact,
    "easyedit": easyedit_fact,
}
_TELLING = {"requested_rewrite": "counterfact", "src": "zsre", "target_new": "easyedit", "statement": "facts"}
"""A field that only one format has."""


def _format_of(row: Row) -> str:
    for name, format in _TELLING.items():
        if name in row.fields:
            return format
    raise InputError(f"{row.where}: has none of the fields {', '.join(_TELLING)}; set format, or give another file")


def _rows(path: str) -> Iterator[Row]:
    """Yield the entries of a JSON list, or of a file of JSON Lines."""
    try:
        with Path(path).open("rb") as file:
            listed = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; mend the task's option path") from error
    yield from _listed(path) if listed else read_rows(path, "jsonl")


def _listed(path: str) -> Iterator[Row]:
    try:
        entries: list[Any] = json.loads(Path(path).read_bytes().decode("utf-8-sig"))
        json.dumps(entries, ensure_ascii=False).encode("utf-8")  # JSON can spell half a surrogate pair
    except UnicodeError as error:
        raise InputError(f"{path}: is not UTF-8 text throughout; convert the file") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON: {error}; write one list of objects") from error
    for number, entry in enumerate(entries, 1):
        where = f"{path}: entry {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: is a {type(entry).__name__}, not an object; write a list of objects")
        yield Row(where, entry)
