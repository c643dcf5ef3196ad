"""The call ledger's SQLite file: its tables, its version, and what becomes of a damaged one."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path

LEDGER_VERSION = 1
BUSY_SECONDS = 30.0
"""How long a write waits for another process."""

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, prompt_version TEXT NOT NULL, text TEXT NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, usd REAL NOT NULL, seconds REAL NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS uses (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, cycle INTEGER NOT NULL, agent TEXT NOT NULL,
    problem_id TEXT NOT NULL, cached INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS uses_by_cycle ON uses (cycle);
"""


def open_ledger(path: Path, mend: bool = True) -> sqlite3.Connection:
    """Open a ledger's file, or begin it; one that is damaged is moved aside with a warning.

    Args:
        path: The file, or `:memory:`.
        mend: Whether a damaged file is moved aside; a file that others use too must stay.

    Raises:
        sqlite3.Error: If it is locked, cannot be written or comes from a newer version, or is damaged and stays.
    """
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise  # locked, read-only, no space: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        if not mend:
            raise
        aside = _move_aside(path)
        warnings.warn(f"{path} is damaged ({error}); kept as {aside.name}, a new one is begun", stacklevel=3)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a sound file; every statement is a transaction of its own."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict).replace("\n", " "))
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > LEDGER_VERSION:
            raise sqlite3.OperationalError(f"version {version} is newer than this program's {LEDGER_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # survives kill -9; a power cut may cost the last calls
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version = {LEDGER_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(aside.with_name(aside.name + suffix))
    return aside
