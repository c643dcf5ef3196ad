"""The one thread on which a run computes with torch.

OpenMP gives each thread that computes a team of its own, and once there are more members than cores they stop waiting
actively for each other, which slows every operation, even when the other teams are idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")


async def on_model_thread(call: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
    """Call something that computes with torch, and wait for it without holding up the event loop."""
    context = copy_context()
    work = partial(context.run, partial(call, *args, **options))
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
