"""The call ledger's SQLite file: its tables, its version, and what becomes of a damaged one."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from .errors import RunFileError
from .ledgerlook import look_into

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
_BEGIN = f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {LEDGER_VERSION}; COMMIT;"
"""Tables and version at once: with the ones alone it would be another program's database."""


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open a ledger's file, or begin it; one that is damaged is moved aside with a warning.

    Args:
        path: The file, or `:memory:`.

    Raises:
        sqlite3.Error: If it is locked, cannot be written, is another program's or comes from a newer version.
    """
    try:
        return connect(path)
    except sqlite3.OperationalError:
        raise  # locked, read-only, no space: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        aside = _move_aside(path)
        warnings.warn(f"{path} is damaged ({error}); kept as {aside.name}, a new one is begun", stacklevel=3)
        return connect(path)


def connect(path: Path) -> sqlite3.Connection:
    """Open a sound file, or begin one; every statement is a transaction of its own.

    Raises:
        sqlite3.Error: If it is damaged, too, in which case it stays where it is.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _require_ledger(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # survives kill -9; a power cut may cost the last calls
        connection.executescript(_BEGIN)
    except BaseException:
        connection.close()
        raise
    return connection


def check_ledger(path: Path) -> None:
    """Look at a file that is there, without changing it or leaving anything beside it.

    Raises:
        sqlite3.Error: If it is not a sound ledger.
    """
    look_into(path, _require_ledger)


def _require_ledger(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict).replace("\n", " "))
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > LEDGER_VERSION:
        raise sqlite3.OperationalError(f"version {version} is newer than this program's {LEDGER_VERSION}")
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise sqlite3.OperationalError("it is another program's database")


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


class Use(NamedTuple):
    """One time that a call was asked for, with the reply."""

    cycle: int
    agent: str
    problem_id: str
    cached: bool
    """Whether the ledger answered, so that nothing was asked or paid for."""
    model: str
    """Names the server too, where it is not the provider's own."""
    prompt_version: str
    text: str
    tokens_in: int
    tokens_out: int
    usd: float
    seconds: float
    created: float
    """When the reply arrived, in seconds since 1970; of a cached call, when it did the first time."""


def read_uses(path: Path) -> list[Use]:
    """Read all calls of a ledger in the order in which they were noted; none if there is no file.

    Nothing is changed, and nothing left beside the file; its folder need not be one that can be written in.

    Raises:
        RunFileError: If it is no sound ledger.
    """
    return [Use(*row) for row in _rows(path, _USES)]


class UseSum(NamedTuple):
    """What an agent asked for in a cycle, what the ledger answered apart from what was paid for."""

    cycle: int
    agent: str
    cached: bool
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float


def sum_uses(path: Path) -> list[UseSum]:
    """Add up all calls of a ledger; see `read_uses`.

    Raises:
        RunFileError: If it is no sound ledger.
    """
    return [UseSum(*row) for row in _rows(path, _SUMS)]


_USES = """
SELECT u.cycle, u.agent, u.problem_id, u.cached, c.model, c.prompt_version, c.text,
       c.tokens_in, c.tokens_out, c.usd, c.seconds, c.created
FROM uses u JOIN calls c USING (key) ORDER BY u.id
"""
_SUMS = """
SELECT u.cycle, u.agent, u.cached, count(*), sum(c.tokens_in), sum(c.tokens_out), sum(c.usd)
FROM uses u JOIN calls c USING (key) GROUP BY u.cycle, u.agent, u.cached ORDER BY min(u.id)
"""


def _rows(path: Path, query: str) -> list[Any]:
    def asked(connection: sqlite3.Connection) -> list[Any]:
        _require_ledger(connection)
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return []  # a run has just made the file
        return connection.execute(query).fetchall()

    if not path.exists():
        return []
    try:
        return look_into(path, asked)
    except sqlite3.Error as error:
        raise RunFileError(f"{path}: the call ledger cannot be read: {error}") from error
