"""What watches a run as it goes: LangChain's callback handlers, such as Langfuse's."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Callback(Protocol):
    """A `langchain_core.callbacks.BaseCallbackHandler`; these are the methods that every handler has.

    It is called from several threads: each plug-in that asks a model has an event loop of its own.
    """

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> Any:
        """Take in that a chat model is asked; `metadata` has run, cycle, problem and agent."""
        ...

    def on_llm_end(self, response: Any, **kwargs: Any) -> Any:
        """Take in what it answered."""
        ...

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> Any:
        """Take in a call that the ledger has answered: the event `cached_call`, of which no model knows."""
        ...
