"""The one thread on which a run computes with torch.

OpenMP gives each thread that computes a team of its own, and once there are more members than cores they stop waiting
actively for each other, which slows every operation, even when the other teams are idle.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")


_left: ContextVar[threading.Event | None] = ContextVar("left", default=None)


async def on_model_thread(call: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
    """Call something that computes with torch, and wait for it without holding up the event loop."""
    context, left = copy_context(), threading.Event()
    context.run(_left.set, left)
    work = partial(context.run, partial(call, *args, **options))
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
    except asyncio.CancelledError:
        left.set()
        raise


def leave_if_cancelled() -> None:
    """End a long call for whose result nobody waits any more; Python would wait for its thread at exit.

    Raises:
        CancelledError: On the model's thread, after Ctrl-C.
    """
    left = _left.get()
    if left is not None and left.is_set():
        raise CancelledError
