"""Read rows from JSONL, Parquet, a saved data set or the hub; every row knows where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..errors import InputError, did_you_mean, first_line

Format = Literal["auto", "jsonl", "parquet", "disk", "hub"]
"""`disk` is a folder written by `Dataset.save_to_disk`, `hub` a Hugging Face data set id."""

_SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".json": "jsonl", ".parquet": "parquet"}
_HUB = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)(?::(?P<subset>[\w.-]+))?(?:@(?P<split>[\w.-]+))?")


class Row(NamedTuple):
    """One row of a data set."""

    where: str
    """`file:line` or `file: row n`, for error messages."""
    fields: Mapping[str, Any]

    def get(self, column: str) -> Any:
        """Return a field.

        Raises:
            InputError: If the row has no such field.
        """
        if column not in self.fields:
            raise InputError(f"{self.where}: no field {column!r}; {did_you_mean(column, map(str, self.fields))}")
        return self.fields[column]

    def text(self, column: str) -> str:
        """Return a field that must hold text or a number, as text.

        Raises:
            InputError: If it is missing, empty, or something else.
        """
        value = self.get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise InputError(f"{self.where}: {column}: is empty; fill it in or remove the row")
        if not isinstance(value, str | int | float):
            raise InputError(f"{self.where}: {column}: is a {type(value).__name__}, not text; name another column")
        return str(value).strip()


def read_rows(path: str, format: Format = "auto") -> Iterator[Row]:
    """Read a data set from start to end.

    Args:
        path: A file, a folder, or a hub id with `:subset` and `@split` where it has them.
        format: What `path` is; `auto` tells by the suffix, and takes what is not on disk for a hub id.

    Raises:
        InputError: If it cannot be read, naming the file and the line.
    """
    kind = _format_of(path) if format == "auto" else format
    if kind != "hub" and not Path(path).exists():
        raise InputError(f"{path}: no such file in {Path.cwd()}; mend the task's option path, or start in its folder")
    readers: dict[str, Callable[[str], Iterable[Row]]] = {
        "jsonl": _read_jsonl,
        "parquet": _read_parquet,
        "disk": _read_disk,
        "hub": _read_hub,
    }
    yield from readers[kind](path)


def _format_of(path: str) -> Format:
    suffix = Path(path).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if Path(path).is_dir():
        return "disk"
    if Path(path).exists():
        raise InputError(f"{path}: unknown suffix {suffix!r}; give .jsonl or .parquet, or set format")
    if not _HUB.fullmatch(path):
        raise InputError(f"{path}: neither a file nor a data set id such as owner/name:subset@split")
    return "hub"


def _read_jsonl(path: str) -> Iterator[Row]:
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield Row(f"{path}:{number}", _object(line, f"{path}:{number}"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not UTF-8 text; convert the file") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not valid JSON: {error}; write one object a line") from error
    if _has_half_character(value):
        raise InputError(f"{where}: holds half a character (a \\ud8.. without its other half); write it anew")
    if not isinstance(value, dict):
        raise InputError(f"{where}: is a {type(value).__name__}, not an object; write one object a line")
    return value


def _has_half_character(value: Any) -> bool:
    """Whether a text within is no text: JSON can spell half a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _read_parquet(path: str) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: is not a readable Parquet file: {first_line(error)}") from error
    return _numbered(table.to_pylist(), path)


def _read_disk(path: str) -> Iterator[Row]:
    import datasets

    try:
        return _all_splits(datasets.load_from_disk(path), path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not a saved data set: {first_line(error)}") from error


def _read_hub(path: str) -> Iterator[Row]:
    import datasets

    match = _HUB.fullmatch(path)
    if match is None:
        raise InputError(f"{path}: is not a data set id such as owner/name:subset@split")
    try:
        found = datasets.load_dataset(match["id"], match["subset"], split=match["split"])
    except Exception as error:
        # The hub's client raises errors of many libraries, network and format alike.
        raise InputError(f"{path}: cannot be loaded: {first_line(error)}") from error
    return _all_splits(found, path)


def _all_splits(found: Any, path: str) -> Iterator[Row]:
    """Yield the rows of a data set, or of each of its splits in turn."""
    if not isinstance(found, dict):
        yield from _numbered(found, path)
        return
    for name, part in found.items():
        yield from _numbered(part, f"{path}@{name}")


def _numbered(rows: Iterable[Mapping[str, Any]], path: str) -> Iterator[Row]:
    for number, fields in enumerate(rows, 1):
        yield Row(f"{path}: row {number}", fields)
