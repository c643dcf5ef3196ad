"""One call of the purifier, whatever it does: it returns a Purified, or the run ends in one line that names it.

A model of its own that fails costs less: the majority is taught, and after some failures in a row it is asked no more
in that cycle.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

from ..agents.purifiers.consensus import all_alike, majority
from ..daemon import DaemonCaller, Raised
from ..errors import CallFailed, Declined, RunError, blamed, flat
from ..ledger import ledger_scope
from ..schema import Problem, Purified, Rationale
from ..seams import Purifier
from .lesson.call import close_plugin
from .lesson.streak import Streak


class PurifierCall:
    """Calls the purifier of a run.

    Attributes:
        learnt: The folder that holds what the purifier knows, as it was last saved or loaded; None before that.
    """

    def __init__(
        self, purifier: Purifier, name: str, timeout: float, bench_after: int, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        """Give a call so many seconds, and the purifier so many calls of its model in a row that fail.

        `tell` takes the event that it is asked no more in a cycle.
        """
        self._purifier, self._name, self._timeout = purifier, name, timeout
        self._bench_after, self._tell = bench_after, tell
        self.learnt: Path | None = None
        self._begin(0)
        # Only a coroutine function is made for several calls at once. Who waits for a turn is not timed yet.
        several = inspect.iscoroutinefunction(purifier.purify)
        self._turn: AbstractAsyncContextManager[Any] = nullcontext() if several else asyncio.Lock()
        self._caller = DaemonCaller("purifier")

    async def purify(self, cycle: int, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Ask what is taught for a problem; the purifier gets copies, so that it cannot change what it is given.

        Args:
            cycle: The cycle; with each a purifier that was asked no more has a new chance.
            problem: What the rationales solve.
            rationales: One or more, all verified.

        Raises:
            RunError: If the purifier raises, takes too long or returns something else.
        """
        async with self._turn:
            if cycle != self._cycle:
                self._begin(cycle)
            if self._benched:
                return _simpler(rationales, self._benched)
            with ledger_scope(cycle=cycle, agent=self._name, problem_id=problem.id):
                return await self._counted(problem, rationales)

    async def close(self) -> str | None:
        """Let the purifier close what it has open; say what went wrong."""
        return await close_plugin(self._caller, self._purifier, "purifier")

    def _begin(self, cycle: int) -> None:
        self._cycle = cycle
        self._streak = Streak()
        self._benched: str | None = None

    async def _counted(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Ask; a failure of the purifier's model counts towards its bench, and the majority stands in."""
        number = self._streak.begin()
        try:
            found = await self._ask(problem, rationales)
        except CallFailed as failed:
            self._bench_if(self._streak.note(number, failed=True), failed)
            return _simpler(rationales, f"its call failed: {_told(failed)}")
        except Declined as declined:
            found = _simpler(rationales, f"it declined: {_told(declined)}")
        if not all_alike(rationales):  # else its model may not have been asked
            self._streak.note(number, failed=False)
        return found

    def _bench_if(self, failures: int, failed: CallFailed) -> None:
        """Ask no more in this cycle after too many failures in a row."""
        if failures < self._bench_after or self._benched:
            return
        self._benched = f"not asked after {failures} failures in a row"
        text = f"purifier {self._name} is asked no more in this cycle after {failures} failures in a row: "
        self._tell({"kind": "note", "cycle": self._cycle, "text": text + _told(failed)})

    async def _ask(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        who = f"purifier {self._name}: problem {problem.id}"
        given = problem.model_copy(deep=True), [one.model_copy(deep=True) for one in rationales]
        try:
            found = await self._caller.call(self._purifier.purify, *given, timeout=self._timeout)
        except TimeoutError:
            told = f"did not decide within {self._timeout:g} seconds; raise teach.timeout, or look why it hangs"
            raise RunError(f"{who} {told}") from None
        except Raised as raised:
            named = blamed(who, raised.error)
            raise named from (raised.error.__cause__ if named is raised.error else raised.error)
        if isinstance(found, Rationale):
            found = Purified(rationales=(found,))
        if not isinstance(found, Purified):
            raise RunError(f"{who}: returned a {type(found).__name__}; return a Rationale, or a Purified of such")
        return found


def _simpler(rationales: Sequence[Rationale], why: str) -> Purified:
    return Purified(rationales=(majority(rationales),), fallback=why)


def _told(error: Exception) -> str:
    return flat(error, limit=600, bare=True)
