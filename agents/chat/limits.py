"""How much one client may send: calls at once, requests a minute, tokens a minute."""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter

MINUTE = 60.0


class Pace:
    """At most so many a minute, spread over it: no more than one second's worth comes at once."""

    def __init__(self, per_minute: float | None) -> None:
        """Set the pace; None is no bound."""
        self._bucket: AsyncLimiter | None = None
        if per_minute is not None:
            most = max(1.0, per_minute / MINUTE)
            self._bucket = AsyncLimiter(most, MINUTE * most / per_minute)

    async def wait(self, amount: float = 1) -> None:
        """Wait until `amount` more may be sent; more than a second's worth is taken in pieces."""
        if self._bucket is None:
            return
        while amount > 0:
            piece = min(amount, self._bucket.max_rate)
            await self._bucket.acquire(piece)
            amount -= piece


class Limits:
    """The bounds of one client in one event loop."""

    def __init__(
        self, concurrency: int, requests_per_minute: float | None = None, tokens_per_minute: float | None = None
    ) -> None:
        """Set the bounds; None is none."""
        self.free = asyncio.Semaphore(concurrency)
        self._requests = Pace(requests_per_minute)
        self._tokens = Pace(tokens_per_minute)

    async def wait(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent."""
        await self._requests.wait()
        await self._tokens.wait(tokens)
