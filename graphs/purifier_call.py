"""One call of the purifier, whatever it does: it returns a Purified, or the run ends in one line that names it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from ..daemon import DaemonCaller, Raised
from ..errors import InputError, RunError, flat
from ..ledger import ledger_scope
from ..schema import Problem, Purified, Rationale
from ..seams import Purifier
from .lesson.call import close_plugin


class PurifierCall:
    """Calls the purifier of a run."""

    def __init__(self, purifier: Purifier, name: str, timeout: float) -> None:
        """Give a call so many seconds."""
        self._purifier, self._name, self._timeout = purifier, name, timeout
        # Only a coroutine function is made for several calls at once. Who waits for a turn is not timed yet.
        several = inspect.iscoroutinefunction(purifier.purify)
        self._turn: AbstractAsyncContextManager[Any] = nullcontext() if several else asyncio.Lock()
        self._caller = DaemonCaller("purifier")

    async def purify(self, cycle: int, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Ask what is taught for a problem; the purifier gets copies, so that it cannot change what it is given.

        Args:
            cycle: The cycle.
            problem: What the rationales solve.
            rationales: One or more, all verified.

        Raises:
            RunError: If the purifier raises, takes too long or returns something else.
        """
        async with self._turn:
            with ledger_scope(cycle=cycle, agent=self._name, problem_id=problem.id):
                return await self._ask(problem, rationales)

    async def close(self) -> str | None:
        """Let the purifier close what it has open; say what went wrong."""
        return await close_plugin(self._caller, self._purifier, "purifier")

    async def _ask(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        who = f"purifier {self._name}: problem {problem.id}"
        given = problem.model_copy(deep=True), [one.model_copy(deep=True) for one in rationales]
        try:
            found = await self._caller.call(self._purifier.purify, *given, timeout=self._timeout)
        except TimeoutError:
            told = f"did not decide within {self._timeout:g} seconds; raise teach.timeout, or look why it hangs"
            raise RunError(f"{who} {told}") from None
        except Raised as raised:
            if isinstance(raised.error, InputError | RunError):
                raise raised.error from raised.error.__cause__
            raise RunError(f"{who}: {flat(raised.error)}; mend the plug-in") from raised.error
        if isinstance(found, Rationale):
            found = Purified(rationales=(found,))
        if not isinstance(found, Purified):
            raise RunError(f"{who}: returned a {type(found).__name__}; return a Rationale, or a Purified of such")
        return found
