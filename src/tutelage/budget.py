"""The budget of a run: what its model calls may cost, asked before each of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from .errors import BudgetSpent
from .schema import Cost


def overspent(cost: Cost, max_usd: float | None, max_tokens: int | None) -> BudgetSpent | None:
    """Return the error that ends a run which has spent what it may; None if it may go on.

    Args:
        cost: What the run has spent.
        max_usd: Dollars it may spend; None for any.
        max_tokens: Tokens it may have read and written by models; None for any.
    """
    if max_usd is not None and cost.usd >= max_usd:
        return BudgetSpent(
            f"budget: {dollars(cost.usd)} of {dollars(max_usd)} dollars spent", f"stop.max_usd={2 * max_usd:g}"
        )
    tokens = cost.tokens_in + cost.tokens_out
    if max_tokens is not None and tokens >= max_tokens:
        return BudgetSpent(f"budget: {tokens} of {max_tokens} tokens spent", f"stop.max_tokens={2 * max_tokens}")
    return None


def dollars(amount: float) -> str:
    """Return an amount as a person reads it: cents, or the first two digits of less than one."""
    return f"{amount:.2f}" if amount >= 0.1 or not amount else f"{amount:.2g}"


class Budget:
    """Lets calls through while there is money left; usable from any thread and event loop.

    A call that is under way counts for what the calls have cost on average, and one that might be too many waits until
    another has landed; the first goes alone, since nothing is known before it. So a run spends one call too much, as
    far as calls cost alike, and never more than those under way at once.
    """

    def __init__(self, max_usd: float | None = None, max_tokens: int | None = None) -> None:
        """Set the limits; None is no limit."""
        self._max_usd, self._max_tokens = max_usd, max_tokens
        self._spent: Cost | None = None
        self._under_way = 0
        self._waiting: list[Future[None]] = []
        self._mutex = threading.Lock()

    async def enter(self, before: Callable[[], Cost]) -> None:
        """Wait until a call may be made.

        Args:
            before: Says what has been spent already; asked at the first call.

        Raises:
            BudgetSpent: If no call may be made any more.
        """
        while True:
            with self._mutex:
                if self._spent is None:
                    self._spent = before()
                if error := overspent(self._spent, self._max_usd, self._max_tokens):
                    raise error
                if not self._under_way or self._bears_more():
                    self._under_way += 1
                    return
                turn: Future[None] = Future()
                self._waiting.append(turn)
            await asyncio.wrap_future(turn)

    def leave(self, usd: float = 0.0, tokens_in: int = 0, tokens_out: int = 0, *, made: bool = True) -> None:
        """Enter what a call has cost, and let those that wait look again; `made` is False if it failed."""
        with self._mutex:
            self._under_way -= 1
            if made:
                self._spent = _sum(self._spent or Cost(), usd, tokens_in, tokens_out, 1)
            waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if turn.set_running_or_notify_cancel():
                turn.set_result(None)

    def _bears_more(self) -> bool:
        """Whether there will be money left when all that is under way has landed."""
        if self._max_usd is None and self._max_tokens is None:
            return True
        spent = self._spent or Cost()
        if not spent.calls:
            return False
        share = self._under_way / spent.calls
        tokens = round(share * spent.tokens_in), round(share * spent.tokens_out)
        expected = _sum(spent, share * spent.usd, *tokens, self._under_way)
        return overspent(expected, self._max_usd, self._max_tokens) is None


def _sum(cost: Cost, usd: float, tokens_in: int, tokens_out: int, calls: int) -> Cost:
    return cost.model_copy(
        update={
            "calls": cost.calls + calls,
            "usd": cost.usd + usd,
            "tokens_in": cost.tokens_in + tokens_in,
            "tokens_out": cost.tokens_out + tokens_out,
        }
    )
