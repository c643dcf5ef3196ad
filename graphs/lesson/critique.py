"""One call of the critic, whatever it does: a question, the stop signal, or why there is neither.

A critic that fails never costs the lesson: the teacher refines without a question.
"""

from __future__ import annotations

from typing import NamedTuple

from ...agents.prompts import one_line
from ...daemon import DaemonCaller, Raised
from ...errors import BudgetSpent, RunFileError, flat
from ...ledger import ledger_scope
from ...schema import Rationale, TeachingRequest
from ...seams import Critic
from .call import close_plugin, cut

AGENT = "critic"
"""Its name among the calls that are paid for, and in traces."""


class Critique(NamedTuple):
    """What came of asking the critic; at most one is not None."""

    question: str | None = None
    """In one line; or the stop signal `NOTHING_TO_ASK`."""
    failure: str | None = None


class CriticCall:
    """Calls the critic of a run."""

    def __init__(self, critic: Critic | None, timeout: float, bench_after: int) -> None:
        """Give a call so many seconds, and the critic so many failures in a row; without one nothing is asked."""
        self._critic = critic
        self._timeout = timeout
        self._bench_after = bench_after
        self._in_a_row = 0
        self._caller = DaemonCaller(AGENT)

    async def ask(self, request: TeachingRequest, rationale: Rationale) -> Critique:
        """Ask about a rationale that was turned away.

        Raises:
            BudgetSpent: If the run may pay for no more calls.
            RunFileError: If a file of the run fails.
        """
        if self._critic is None:
            return Critique()
        if self._in_a_row >= self._bench_after:
            return Critique(failure=f"not asked after {self._in_a_row} failures in a row")
        came = await self._ask(self._critic, request, rationale)
        self._in_a_row = self._in_a_row + 1 if came.failure else 0
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
