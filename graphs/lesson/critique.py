"""One call of the critic, whatever it does: a question, the stop signal, or why there is neither.

A critic that fails never costs the lesson: the teacher refines without a question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...agents.prompts import one_line
from ...daemon import DaemonCaller, Raised
from ...errors import BudgetSpent, RunFileError, flat
from ...ledger import ledger_scope
from ...schema import Rationale, TeachingRequest
from ...seams import Critic
from .call import close_plugin, cut
from .streak import Streak

AGENT = "critic"
"""Its name among the calls that are paid for, and in traces."""


class Critique(NamedTuple):
    """What came of asking the critic; at most one is not None."""

    question: str | None = None
    """In one line; or the stop signal `NOTHING_TO_ASK`."""
    failure: str | None = None


class CriticCall:
    """Calls the critic of a run."""

    def __init__(
        self, critic: Critic | None, timeout: float, bench_after: int, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        """Give a call so many seconds, and the critic so many failures in a row; without one nothing is asked.

        `tell` takes the event that it is asked no more.
        """
        self._critic = critic
        self._timeout = timeout
        self._bench_after = bench_after
        self._tell = tell
        self._streak = Streak()
        self._benched: str | None = None
        self._caller = DaemonCaller(AGENT)

    async def ask(self, request: TeachingRequest, rationale: Rationale) -> Critique:
        """Ask about a rationale that was turned away.

        Raises:
            BudgetSpent: If the run may pay for no more calls.
            RunFileError: If a file of the run fails.
        """
        if self._critic is None:
            return Critique()
        if self._benched:
            return Critique(failure=self._benched)
        number = self._streak.begin()
        came = await self._ask(self._critic, request, rationale)
        failures = self._streak.note(number, failed=came.failure is not None)
        if failures >= self._bench_after and not self._benched:
            self._benched = f"not asked after {failures} failures in a row"
            text = f"critic is asked no more in this run after {failures} failures in a row: {came.failure}"
            self._tell({"kind": "note", "text": text})
        return came

    async def _ask(self, critic: Critic, request: TeachingRequest, rationale: Rationale) -> Critique:
        given = request.model_copy(deep=True), rationale.model_copy(deep=True)
        try:
            with ledger_scope(cycle=request.cycle, agent=AGENT, problem_id=request.problem.id):
                asked = await self._caller.call(critic.critique, *given, timeout=self._timeout)
        except TimeoutError:
            return Critique(failure=f"did not answer within {self._timeout:g} seconds")
        except Raised as raised:
            if isinstance(raised.error, BudgetSpent | RunFileError):
                raise raised.error from raised.error.__cause__
            return Critique(failure=flat(raised.error))
        if not isinstance(asked, str):
            return Critique(failure=f"critique returned {type(asked).__name__}; return a string")
        question = one_line(cut(asked))
        return Critique(question) if question else Critique(failure="asked nothing")

    async def close(self) -> str | None:
        """Let the critic close what it has open; say what went wrong."""
        return await close_plugin(self._caller, self._critic, "critic")
