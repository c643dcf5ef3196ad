"""Call other people's code, sync or async, so that it can hold up neither the run nor the end of the process.

Everything runs on daemon threads, which Python does not wait for at exit: a call that hangs is left behind. Coroutines
run on an event loop of their own, so that one which blocks, or will not be cancelled, blocks nobody else.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

_CLOSING_SECONDS = 2.0
"""How long coroutines that were left behind may take to end."""

Outcome = tuple[Any, BaseException | None]


class Raised(Exception):
    """The code that was called raised; whatever it was, `SystemExit` included, is in `error`."""

    def __init__(self, error: BaseException) -> None:
        """Hold the error."""
        super().__init__()
        self.error = error


class DaemonCaller:
    """Calls the methods of one plug-in."""

    def __init__(self, name: str) -> None:
        """Name the threads; none is started yet."""
        self._name = name
        self._threads = _DaemonThreads(name)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looping: threading.Thread | None = None

    async def call(self, method: Callable[..., Any], *arguments: Any, timeout: float) -> Any:
        """Call a method, and await what it returns if that is an awaitable.

        Context variables are those of the caller, also inside the call.

        Args:
            method: What to call.
            *arguments: What it gets.
            timeout: Seconds until it is left behind; a coroutine is cancelled.

        Raises:
            Raised: If the call raises.
            TimeoutError: If it takes too long.
        """
        async with asyncio.timeout(timeout):
            threaded = self._threads.submit(copy_context().run, _outcome, method, *arguments)
            value, error = await asyncio.wrap_future(threaded)
            if error is None and inspect.isawaitable(value):
                looped = asyncio.run_coroutine_threadsafe(_awaited(value), self._running_loop())
                value, error = await asyncio.wrap_future(looped)
        if error is not None:
            raise Raised(error) from error
        return value

    async def close(self) -> None:
        """End the event loop, unless a coroutine will not end: its thread then ends with the process."""
        loop, thread = self._loop, self._looping
        self._loop = self._looping = None
        if loop is None or thread is None or not thread.is_alive():
            return
        ended = asyncio.run_coroutine_threadsafe(_cancel_others(), loop)
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await asyncio.wrap_future(ended)
        except TimeoutError:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSING_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Start the event loop at the first use, and again if the plug-in has ended it."""
        if self._loop is None or self._looping is None or not self._looping.is_alive():
            self._loop = asyncio.new_event_loop()
            self._loop.set_default_executor(self._threads)  # a plug-in's own `asyncio.to_thread` must not hang either
            self._looping = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
            self._looping.start()
        return self._loop


class _DaemonThreads(ThreadPoolExecutor):
    """An executor with a daemon thread for each call: Python waits for an ordinary one's threads at exit."""

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1)  # whose threads are never started
        self._name = name

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                made = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(made)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return future


def _outcome(method: Callable[..., Any], *arguments: Any) -> Outcome:
    """Call; what was raised is returned, since a StopIteration could not pass through a future."""
    try:
        return method(*arguments), None
    except BaseException as error:
        return None, error


async def _awaited(value: Awaitable[Any]) -> Outcome:
    """Await; a SystemExit that left the task would end the event loop."""
    try:
        return await value, None
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # by us; any other is the plug-in's own
        return None, error
    except BaseException as error:
        return None, error


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
