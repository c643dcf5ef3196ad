"""What those who watch a run through LangChain's callbacks are told of a model call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ledger import Reply, current_scope

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

CACHED = "cached_call"
"""The custom event of a call that the ledger has answered. No model was asked, so there is no model run to count."""


def call_config(asker: str) -> RunnableConfig:
    """Return what a model call is to be known by: who asks, for which problem, in which cycle.

    The run's own name comes from the graph around it, as do the callbacks.

    Args:
        asker: Who asks where no agent of a run does.
    """
    told = _told(asker)
    return {"run_name": told["agent"], "tags": ["tutelage", told["agent"]], "metadata": told}


async def tell_cached(asker: str, place: str, reply: Reply) -> None:
    """Tell the callbacks, if there are any, that the ledger has answered a call.

    Args:
        asker: Who asks where no agent of a run does.
        place: The model and its server.
        reply: What was paid for before.
    """
    from langchain_core.runnables.config import ensure_config, get_async_callback_manager_for_config

    manager = get_async_callback_manager_for_config(ensure_config())
    if manager.parent_run_id is None:  # nothing of LangChain's is around this call, so nobody watches
        return
    told = {**_told(asker), "model": place, "text": reply.text}
    await manager.on_custom_event(CACHED, told, run_id=manager.parent_run_id)


def _told(asker: str) -> dict[str, Any]:
    cycle, agent, problem_id = current_scope()
    return {"cycle": cycle, "agent": agent or asker, "problem": problem_id}
