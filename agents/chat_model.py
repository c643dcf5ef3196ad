"""One chat model behind one client: any LangChain provider, or any OpenAI-compatible server such as vLLM."""

from __future__ import annotations

import asyncio
import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import CallFailed, Declined, InputError
from ..ledger import CallLedger, Reply
from ..seams import Message
from .chat_access import Access

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from pydantic import BaseModel

REPLY_CAP = 20_000
"""Characters of a reply that are kept."""
FILTERED = ("content_filter", "content_policy_violation")
"""Error codes of a prompt that a provider will not answer."""
TOO_LARGE = 413


class _Line(NamedTuple):
    """What belongs to one event loop: its connections and the bound on calls at once."""

    chat: BaseChatModel
    free: asyncio.Semaphore


class ChatModel:
    """Asks a chat model, for whoever needs one: a teacher, a critic.

    Calls are bounded in number, tried again with a growing pause on rate limits, server errors and lost connections
    (the provider's client does that and minds `Retry-After`), and looked up in the call ledger before they are made.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key_env: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int = 512,
        concurrency: int = 16,
        timeout: float = 60.0,
        retries: int = 4,
        price_in: float = 0.0,
        price_out: float = 0.0,
        structured: bool | Literal["auto"] = "auto",
        ledger: CallLedger | None = None,
        who: str = "teacher 'chat'",
    ) -> None:
        """Remember the settings; nothing is imported, read from the environment or connected to yet.

        Args:
            model: `provider:model` as LangChain has it; with `base_url` the name the server knows it by.
            base_url: An OpenAI-compatible server, such as `http://localhost:8000/v1`.
            api_key_env: Environment variable of the key; None is the provider's own, or with `base_url` no key.
            temperature: Of the sampling; None leaves it to the model.
            max_tokens: Longest reply.
            concurrency: Calls at once.
            timeout: Seconds for one try.
            retries: Tries after the first.
            price_in: US dollars a million tokens read.
            price_out: US dollars a million tokens written.
            structured: Whether the model keeps to a JSON schema; `auto` asks LangChain's table of models, and means
                no for a server of one's own.
            ledger: Where replies are kept; None asks the model each time.
            who: Who asks, for messages.

        Raises:
            InputError: If a setting cannot work.
        """
        self.access = Access(
            model=model.removeprefix("openai:") if base_url else model,
            base_url=base_url.rstrip("/") if base_url else None,
            api_key_env=api_key_env,
            asker=who,
        )
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._concurrency = concurrency
        self._timeout = timeout
        self._retries = retries
        self.prices = price_in, price_out
        self._structured = structured
        self._ledger = ledger
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}
        self._require_sense()

    @cached_property
    def structured(self) -> bool:
        """Whether an answer to a question with a schema is JSON of that schema, as far as a model can be trusted."""
        if self._structured != "auto":
            return self._structured
        if self.access.base_url is not None:
            return False
        try:
            profile = self._build().profile or {}
        except Exception:  # `check` and the first call say what is wrong
            return False
        return bool(profile.get("structured_output"))

    async def ask(self, messages: list[Message], version: str, schema: type[BaseModel] | None = None) -> str:
        """Return the model's answer as it came, cut to a length; from the ledger if it was asked before.

        Args:
            messages: The rendered prompt.
            version: The prompt's version, a part of the call's key.
            schema: What the answer is to look like, if the model is `structured`; the caller parses the JSON, which
                may be cut off or not of the schema.

        Raises:
            Declined: If the provider refuses this prompt.
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        schema = schema if self.structured else None
        if self._ledger is None:
            return (await self._invoke(messages, schema)).text
        parameters: dict[str, Any] = {"temperature": self._temperature, "max_tokens": self._max_tokens}
        if schema is not None:
            parameters["schema"] = schema.model_json_schema()
        reply = await self._ledger.call(
            self.access.place, messages, parameters, version, lambda: self._invoke(messages, schema)
        )
        return reply.text

    def check(self) -> None:
        """Find what would fail at the first call, without paying for one.

        Raises:
            InputError: If the key is not set, the provider's package is missing, the server cannot be reached, or it
                does not serve the model.
        """
        self.access.check()
        try:
            self._build()
        except Exception as error:  # whatever the provider's package raises
            raise InputError(f"{self.access.who}: cannot be set up: {self.access.cause(error)}") from error

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the next call opens new ones."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        connections = getattr(line.chat, "http_async_client", None) if line is not None else None
        if connections is not None:
            await connections.aclose()

    def _require_sense(self) -> None:
        def require(option: str, holds: bool, remedy: str) -> None:
            if not holds:
                raise InputError(f"{self.access.asker}: {option} {remedy}")

        self.access.require_sense()
        require("max_tokens", self._max_tokens >= 1, "must be at least 1")
        require("concurrency", self._concurrency >= 1, "must be at least 1")
        require("timeout", self._timeout > 0, "must be more than 0 seconds")
        require("retries", self._retries >= 0, "must not be negative")
        require("price_in and price_out", min(self.prices) >= 0, "must not be negative")
        require("structured", self._structured in (True, False, "auto"), "must be true, false or auto")

    async def _invoke(self, messages: list[Message], schema: type[BaseModel] | None) -> Reply:
        line = self._line()
        asked: Any = line.chat
        if schema is not None:
            asked = line.chat.with_structured_output(schema, include_raw=True)
        async with line.free:
            begun = time.monotonic()
            try:
                answer = await asked.ainvoke(list[Any](messages))
            except Exception as error:  # every provider has exceptions of its own
                if _is_about_the_prompt(error):
                    raise Declined(f"{self.access.who}: {self.access.cause(error)}") from error
                raise CallFailed(f"{self.access.who}: {self.access.cause(error)}") from error
            seconds = time.monotonic() - begun
        raw = answer if schema is None else answer["raw"]
        tokens_in, tokens_out = (
            (raw.usage_metadata["input_tokens"], raw.usage_metadata["output_tokens"]) if raw.usage_metadata else (0, 0)
        )
        usd = (tokens_in * self.prices[0] + tokens_out * self.prices[1]) / 1e6
        return Reply(_text(raw)[:REPLY_CAP], tokens_in, tokens_out, usd, seconds)

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            self.access.key(CallFailed)
            try:
                chat = self._build()
            except Exception as error:  # as in `check`, which the run may have gone without
                raise CallFailed(f"{self.access.who}: cannot be set up: {self.access.cause(error)}") from error
            for closed in [one for one in list(self._lines) if one.is_closed()]:
                self._lines.pop(closed, None)
            line = self._lines[loop] = _Line(chat, asyncio.Semaphore(self._concurrency))
        return line

    def _build(self) -> BaseChatModel:
        options: dict[str, Any] = {
            "max_tokens": self._max_tokens,
            "timeout": self._timeout,
            "max_retries": self._retries,
        }
        if self._temperature is not None:
            options["temperature"] = self._temperature
        return self.access.build(**options)


def _text(answer: Any) -> str:
    """Return what was said; some providers put an answer with a schema into a tool's arguments."""
    return str(answer.text) or (json.dumps(answer.tool_calls[0]["args"]) if answer.tool_calls else "")


def _is_about_the_prompt(error: Exception) -> bool:
    """Whether another prompt would do; a plain 400 may as well mean a setting or an account."""
    from langchain_core.exceptions import ContextOverflowError

    too_long = isinstance(error, ContextOverflowError) or getattr(error, "status_code", None) == TOO_LARGE
    return too_long or getattr(error, "code", None) in FILTERED
