"""A time-out that does not mistake our own slowness for the server's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

BEATS = 40
"""Parts that a time-out is cut into."""
LETTING_GO = 1.0
"""Seconds that a call which was given up may take to close its connection."""


async def within(seconds: float, call: Awaitable[T]) -> T:
    """Await a call for so many seconds during which the event loop ran freely.

    The time is cut into parts, and each part lets the loop run at least once: where the process was held up, what has
    arrived meanwhile is read before the call is given up. It may have been paid for.

    Raises:
        TimeoutError: If it takes longer.
    """
    task = asyncio.ensure_future(call)
    try:
        for _ in range(BEATS):
            await asyncio.wait({task}, timeout=seconds / BEATS)
            if task.done():
                return task.result()
        raise TimeoutError(f"no reply within {seconds:g} s")
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=LETTING_GO)
