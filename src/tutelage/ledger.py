"""The call ledger: every model call and what it cost, so that no call is paid for twice.

Two tables in one SQLite file: `calls`, by content hash of model, messages, parameters and prompt version; and `uses`,
who asked for which call in which cycle, and whether it was answered from here.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

from .budget import Budget
from .errors import RunFileError
from .hashing import content_hash
from .ledgerfile import connect, open_ledger
from .schema import Cost
from .seams import Message

Landing = Future["Reply | Exception | None"]
"""What those who wait for a call get: its reply, its failure, or None if it was cancelled and must be made again."""


class Reply(NamedTuple):
    """What a model answered, and what that took."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class Scope(NamedTuple):
    """Who is calling."""

    cycle: int = 0
    agent: str = ""
    problem_id: str = ""


_scope: ContextVar[Scope] = ContextVar("ledger_scope", default=Scope())  # noqa: B039 - immutable


@contextmanager
def ledger_scope(
    *, cycle: int | None = None, agent: str | None = None, problem_id: str | None = None
) -> Iterator[Scope]:
    """Say who is calling; what is left out is taken from the scope around this one."""
    outer = _scope.get()
    scope = Scope(
        outer.cycle if cycle is None else cycle,
        outer.agent if agent is None else agent,
        outer.problem_id if problem_id is None else problem_id,
    )
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


def current_scope() -> Scope:
    """Return who is calling."""
    return _scope.get()


def call_key(model: str, messages: Sequence[Message], parameters: Mapping[str, Any], prompt_version: str) -> str:
    """Return the name of a call: equal calls have equal names, and nothing of a call can be read from it."""
    return content_hash(model, list(messages), dict(parameters), prompt_version, length=32)


class CallLedger:
    """Model calls in a SQLite file; usable from any thread and event loop of a process.

    Messages and parameters are hashed, never written: no API key can end up in the file.
    """

    def __init__(
        self, path: Path | None, shared: Path | None = None, mend: bool = True, budget: Budget | None = None
    ) -> None:
        """Name the file; it is opened, or begun, at the first use.

        A file that is damaged is moved aside with a warning (`calls.sqlite.damaged-1`, ...) and a new one is begun.

        Args:
            path: The ledger of this run; None keeps it in memory only.
            shared: A second ledger that other runs use too: looked into when the first has no answer, and given
                every new one. It is never moved aside.
            mend: Whether a damaged file is moved aside; otherwise it is an error.
            budget: What the calls may cost; None is any amount.
        """
        self.path = Path(path) if path is not None else Path(":memory:")
        self._mutex = threading.RLock()
        self._flights: dict[str, Landing] = {}
        self._mend = mend
        self._budget = budget or Budget()
        self._shared = CallLedger(shared, mend=False) if shared is not None else None

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        """Open the file at the first use: naming a ledger writes nothing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)  # for `:memory:` that is the working directory
            return open_ledger(self.path) if self._mend else connect(self.path)
        except (sqlite3.Error, OSError) as error:
            raise RunFileError(f"{self.path}: the call ledger cannot be opened: {error}") from error

    async def call(
        self,
        model: str,
        messages: Sequence[Message],
        parameters: Mapping[str, Any],
        prompt_version: str,
        invoke: Callable[[], Awaitable[Reply]],
    ) -> Reply:
        """Return the stored reply of a call, or make it and store the reply.

        Equal calls at the same time share one flight. A call that fails stores nothing, and all who wait for it get
        its exception; if the one who makes it is cancelled, one of those who wait makes it.

        Args:
            model: Names the model and where it runs.
            messages: The rendered prompt.
            parameters: What else decides the reply, such as the temperature; JSON-serialisable.
            prompt_version: Version of the prompt's template.
            invoke: Makes the call.

        Raises:
            BudgetSpent: If the call would have to be paid for, and the budget is spent.
            RunFileError: If the file cannot be read or written.
        """
        key = call_key(model, messages, parameters, prompt_version)
        while True:
            stored, flight, leads = self._board(key)
            if stored is not None:
                return stored
            if leads:
                return await self._lead(key, model, prompt_version, flight, invoke)
            # Shielded: cancelling one who waits must not cancel the flight of the others.
            landed = await asyncio.shield(asyncio.wrap_future(flight))
            if isinstance(landed, Exception):
                raise landed
            if landed is not None:
                with self._mutex:
                    self._note_use(key, cached=True)
                return landed

    def cost(self, cycle: int | None = None) -> Cost:
        """Sum what a cycle's calls cost; all cycles together for None.

        `calls`, tokens and dollars count the calls that were made; `cached_calls` those answered from here.
        """
        query = """
            SELECT COALESCE(SUM(NOT u.cached), 0), COALESCE(SUM(u.cached), 0),
                   COALESCE(SUM(c.tokens_in * (NOT u.cached)), 0), COALESCE(SUM(c.tokens_out * (NOT u.cached)), 0),
                   COALESCE(SUM(c.usd * (NOT u.cached)), 0.0)
            FROM uses u JOIN calls c USING (key) WHERE :cycle IS NULL OR u.cycle = :cycle
        """
        with self._mutex, self._told():
            row = self._connection.execute(query, {"cycle": cycle}).fetchone()
        return Cost(calls=row[0], cached_calls=row[1], tokens_in=row[2], tokens_out=row[3], usd=row[4])

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._mutex:
            if "_connection" in vars(self):
                self._connection.close()
        if self._shared is not None:
            self._shared.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _board(self, key: str) -> tuple[Reply | None, Landing, bool]:
        """Look a call up; else join its flight, or begin one (the last item says so)."""
        with self._mutex:
            if key in self._flights:
                return None, self._flights[key], False
            flight: Landing = Future()
            stored = self._find(key)
            if stored is None:
                self._flights[key] = flight
            else:
                self._note_use(key, cached=True)
            return stored, flight, True

    async def _lead(
        self, key: str, model: str, prompt_version: str, flight: Landing, invoke: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        landed: Reply | Exception | None = None
        try:
            landed = await self._pay(invoke)
            with self._mutex:
                self._store(key, model, prompt_version, landed)
            return landed
        except Exception as error:
            landed = error
            raise
        finally:
            with self._mutex:
                del self._flights[key]
            flight.set_result(landed)

    async def _pay(self, invoke: Callable[[], Awaitable[Reply]]) -> Reply:
        """Make a call, if the budget bears it."""
        await self._budget.enter(self.cost)
        reply = None
        try:
            reply = await invoke()
            return reply
        finally:
            if reply is None:
                self._budget.leave(made=False)
            else:
                self._budget.leave(reply.usd, reply.tokens_in, reply.tokens_out)

    def _find(self, key: str) -> Reply | None:
        query = "SELECT text, tokens_in, tokens_out, usd, seconds FROM calls WHERE key = ?"
        with self._told():
            row = self._connection.execute(query, (key,)).fetchone()
        return self._find_shared(key) if row is None else Reply(*row)

    def _find_shared(self, key: str) -> Reply | None:
        """Look into the shared ledger, and copy what it has: a run's folder is complete by itself."""
        if self._shared is None:
            return None
        with self._shared._mutex, self._shared._told():
            row = self._shared._connection.execute("SELECT * FROM calls WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        with self._told():
            self._insert(row)
        return Reply(*row[3:8])

    def _store(self, key: str, model: str, prompt_version: str, reply: Reply) -> None:
        """Keep a reply that was paid for, and what it cost; then share it."""
        row = (key, model, prompt_version, *reply, time.time())
        with self._told(), self._connection:  # both or none: a reply whose use is lost would never be counted
            self._connection.execute("BEGIN IMMEDIATE")
            self._insert(row)
            self._note_use(key, cached=False)
        if self._shared is not None:
            with self._shared._mutex, self._shared._told():
                self._shared._insert(row)

    def _insert(self, row: tuple[Any, ...]) -> None:
        self._connection.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _note_use(self, key: str, *, cached: bool) -> None:
        query = "INSERT INTO uses (key, cycle, agent, problem_id, cached) VALUES (?, ?, ?, ?, ?)"
        with self._told():
            self._connection.execute(query, (key, *current_scope(), cached))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn SQLite's complaints into one line that names the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise RunFileError(f"{self.path}: the call ledger failed: {error}") from error
