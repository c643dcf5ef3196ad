import asyncio
import threading
import time
from contextvars import ContextVar

import pytest

from tutelage.model_thread import leave_if_cancelled, on_model_thread

ASKED: ContextVar[str] = ContextVar("ASKED", default="")


def test_calls_share_one_thread_and_see_their_caller_s_context() -> None:
    def look(number: int, *, sign: str) -> tuple[str, int, str]:
        return f"{sign}{number}{ASKED.get()}", threading.get_ident(), threading.current_thread().name

    async def ask(number: int) -> tuple[str, int, str]:
        ASKED.set(f" of {number}")
        return await on_model_thread(look, number, sign="n")

    async def all_at_once() -> list[tuple[str, int, str]]:
        return list(await asyncio.gather(*(ask(number) for number in range(8))))

    seen = [*asyncio.run(all_at_once()), *asyncio.run(all_at_once())]
    assert [text for text, _, _ in seen] == [f"n{number} of {number}" for number in range(8)] * 2
    assert len({ident for _, ident, _ in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_what_nobody_waits_for_ends() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work_on() -> None:
        begun.set()
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                leave_if_cancelled()
        finally:
            ended.set()

    async def give_up() -> None:
        waiting = asyncio.ensure_future(on_model_thread(work_on))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    assert ended.wait(2)
    assert asyncio.run(on_model_thread(lambda: leave_if_cancelled() or "free")) == "free"


def test_an_error_reaches_the_caller() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(on_model_thread(fail))
