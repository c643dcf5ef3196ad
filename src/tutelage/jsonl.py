"""JSON and JSON Lines on disk: whole files appear at once, rows are appended, a torn last row is mended."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import RunError

_END = 65_536
"""Bytes of a file's end that are read at first for its last row."""


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}-{secrets.token_hex(8)}")  # a name that nobody can foresee
    try:
        with half.open("x", encoding="utf-8") as file:  # with the rights that the user gives new files
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """Read one JSON document.

    Raises:
        RunError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error


def dumps(row: Any) -> str:
    """Return a row as one line, its end included."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def append(path: Path, rows: Iterable[Any]) -> None:
    """Append rows, each on a line of its own, in one write.

    A last line that a crash left without its end is cut off first, so that it cannot swallow the first new row.
    """
    text = "".join(map(dumps, rows))
    if not text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        _mend(file)
        file.write(text.encode())


def _mend(file: Any) -> None:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def read(path: Path, mentioning: str | None = None) -> Iterator[Any]:
    """Yield the whole rows of a file; nothing if it does not exist; a torn last line is passed over.

    Args:
        path: The file.
        mentioning: A text that wanted rows have as a value; most others are passed over unread, which is fast.

    Raises:
        RunError: If a line before the last is not JSON; one that is passed over is not looked at.
    """
    if not path.exists():
        return
    ours, others = ("" if mentioning is None else json.dumps(mentioning, ensure_ascii=only) for only in (False, True))
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            if ours not in line and others not in line:
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise RunError(f"{path}:{number}: not JSON ({error}); the file was changed by hand?") from error


def last(path: Path) -> Any:
    """Return the last whole row of a file, reading no more of it than its end; None if it has none.

    Raises:
        RunError: If that line is not JSON.
    """
    if not path.exists():
        return None
    with path.open("rb") as file:
        size, want = file.seek(0, os.SEEK_END), _END
        while True:
            file.seek(-min(want, size), os.SEEK_END)
            whole, _, _ = file.read(want).rpartition(b"\n")
            line = whole.rpartition(b"\n")[2]
            if len(line) < len(whole) or want >= size:
                break
            want *= 2
    try:
        return json.loads(line.decode(errors="replace")) if line else None
    except ValueError as error:
        raise RunError(f"{path}: its last line is not JSON ({error}); the file was changed by hand?") from error
