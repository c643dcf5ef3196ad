"""A look into a ledger's SQLite file that leaves nothing behind, also in a folder where nothing may be written.

SQLite reads a file in WAL mode with two others beside it, `-wal` and `-shm`: it makes them where they are missing, and
a reader cannot take them away again. The first holds what has not been moved into the ledger's own file yet.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

Found = TypeVar("Found")

_TRIES = 3
"""How often a question is asked, if somebody else begins or ends his work on the file meanwhile."""


class _Files(NamedTuple):
    """How the files were found, each by its inode, size and time; None is none, or nothing in it."""

    ledger: tuple[int, int, int] | None
    wal: tuple[int, int, int] | None


def look_into(path: Path, ask: Callable[[sqlite3.Connection], Found]) -> Found:
    """Return what a question to the ledger finds; it is asked again if the file changed meanwhile.

    No lock tells who else uses the file, since runs may share one. So what is read without SQLite's own locks counts
    only if the files are afterwards as they were before.

    Args:
        path: The file.
        ask: Reads what is wanted, whole.

    Raises:
        sqlite3.Error: If it is damaged or cannot be read.
    """
    path = path.resolve()  # of a link SQLite, too, looks beside what it leads to
    for _ in range(_TRIES):
        before = _find(path)
        live = before.wal is not None and _beside(path, "-shm").exists()
        try:
            found = _ask(path, before, live, ask)
        except (sqlite3.Error, OSError) as error:
            if _find(path) != before:
                continue  # caught in the middle of a change
            raise error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(str(error)) from error
        if live or _find(path) == before:
            return found
    raise sqlite3.OperationalError("it changes all the time; try again")


def _ask(path: Path, files: _Files, live: bool, ask: Callable[[sqlite3.Connection], Found]) -> Found:
    if files.wal is None:
        return _open_and_ask(path, "mode=ro&immutable=1", ask)  # all is in the one file
    if live:
        return _open_and_ask(path, "mode=ro", ask)  # in use, or left by a run that was killed
    with tempfile.TemporaryDirectory() as folder:  # a copy without `-shm`, which SQLite would have to make
        copy = Path(shutil.copyfile(path, Path(folder) / path.name))
        shutil.copyfile(_beside(path, "-wal"), _beside(copy, "-wal"))
        return _open_and_ask(copy, "mode=rw", ask)


def _open_and_ask(path: Path, how: str, ask: Callable[[sqlite3.Connection], Found]) -> Found:
    with closing(sqlite3.connect(f"{path.as_uri()}?{how}", uri=True)) as connection:
        return ask(connection)


def _find(path: Path) -> _Files:
    wal = _look_at(_beside(path, "-wal"))
    return _Files(_look_at(path), wal if wal and wal[1] else None)


def _look_at(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
