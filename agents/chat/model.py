"""One chat model behind one client: any LangChain provider, or any OpenAI-compatible server such as vLLM."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ...errors import CallFailed, Declined, InputError
from ...ledger import CallLedger, Reply
from ...seams import Message
from ...spending import Estimate, Spending
from .access import NO_KEY, Access, cause
from .limits import Limits
from .observed import call_config, tell_cached
from .prices import Prices, listed_prices
from .reply import UNREADABLE, NoReply, read_cut_reply, read_reply
from .retries import retrying, status_of
from .settings import ChatSettings
from .timeout import within

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from pydantic import BaseModel

FILTERED = ("content_filter", "content_policy_violation")
"""Error codes of a prompt that a provider will not answer."""
TOO_LARGE = 413
REFUSED = 400
OVERFLOW = ("context length", "context size")
"""What vLLM, SGLang and llama.cpp say of a prompt that is too long; LangChain knows the words of some providers."""
LOOSER = 3
"""A client's own time-out is for each piece of a reply, and counts the time in which the process was held up; it is
only there for what ours cannot end."""


class _Line(NamedTuple):
    """What belongs to one event loop: its connections and its limits."""

    chat: BaseChatModel
    limits: Limits


class ChatModel:
    """Asks a chat model, for whoever needs one: a teacher, a critic.

    A call is looked up in the call ledger before it is made. It waits for the client's limits, and is tried again on
    rate limits, server errors, lost connections, time-outs and replies that are none (see `retries`). A try that
    timed out may be charged by the provider: nobody can tell from here. What has arrived is never asked for again.
    """

    def __init__(
        self,
        settings: ChatSettings,
        structured: bool | Literal["auto"] = "auto",
        ledger: CallLedger | None = None,
        who: str = "teacher 'chat'",
    ) -> None:
        """Remember the settings; nothing is imported, read from the environment or connected to yet.

        Args:
            settings: The model, its limits and prices.
            structured: Whether the model keeps to a JSON schema; `auto` asks LangChain's table of models, and means
                no for a server of one's own.
            ledger: Where replies are kept; None asks the model each time.
            who: Who asks, for messages.

        Raises:
            InputError: If a setting cannot work.
        """
        url, model = settings.base_url, settings.model
        self.access = Access(
            model=model.removeprefix("openai:") if url else model,
            base_url=url.rstrip("/") if url else None,
            api_key_env=settings.api_key_env,
            asker=who,
        )
        self.access.require_sense()
        settings.require_sense(who)
        if structured not in (True, False, "auto"):
            raise InputError(f"{who}: structured must be true, false or auto")
        self._settings = settings
        self._structured = structured
        self._ledger = ledger
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}

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

    @cached_property
    def prices(self) -> Prices | None:
        """US dollars a million tokens read and written; None if nobody knows."""
        read, written = self._settings.price_in, self._settings.price_out
        if read is None or written is None:
            return listed_prices(self.access.model, self.access.base_url)
        return Prices(read, written)

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
        parameters: dict[str, Any] = {
            "temperature": self._settings.temperature,
            "max_tokens": self._settings.max_tokens,
        }
        if schema is not None:
            parameters["schema"] = schema.model_json_schema()
        made = False

        async def make() -> Reply:
            nonlocal made
            made = True
            return await self._invoke(messages, schema)

        reply = await self._ledger.call(self.access.place, messages, parameters, version, make)
        if not made:
            await tell_cached(self.access.asker, self.access.place, reply)
        return reply.text

    def estimate(self, messages: list[Message], longest: int, turns: int = 1) -> Estimate:
        """Estimate what one answer takes: likely half of the longest reply; at most every turn, each at its longest.

        Args:
            messages: A prompt.
            longest: Tokens of the longest prompt.
            turns: How often the model is asked at most, each time with its replies so far.
        """
        from langchain_core.messages.utils import count_tokens_approximately

        likely = Spending(1, count_tokens_approximately(list[Any](messages)), self._settings.max_tokens // 2)
        replies = self._settings.max_tokens * (turns - 1) * turns // 2
        return Estimate(likely, Spending(turns, turns * longest + replies, turns * self._settings.max_tokens))

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
            remedy = "set the variable, or name another as api_key_env" if self._lacks_a_key() else "see the options"
            raise InputError(f"{self.access.who}: cannot be set up: {cause(error)}; {remedy}") from error

    def _lacks_a_key(self) -> bool:
        """Whether a set-up that failed works with any key.

        LangChain has no exception for a key that is missing, and every provider's package raises one of its own.
        """
        try:
            self._build(api_key=NO_KEY)
        except Exception:  # as in `check`
            return False
        return True

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the next call opens new ones."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        connections = getattr(line.chat, "http_async_client", None) if line is not None else None
        if connections is not None:
            await connections.aclose()

    async def _invoke(self, messages: list[Message], schema: type[BaseModel] | None) -> Reply:
        """Try until there is a reply or no use in going on."""
        line, tries = self._line(), 0

        async def one_try() -> Reply:
            nonlocal tries
            await line.limits.wait(self._tokens(messages))
            tries += 1
            return await self._try(line.chat, messages, schema)

        async with line.limits.free:
            try:
                return await retrying(self._settings.retries, self._settings.patience)(one_try)
            except Exception as error:  # every provider has exceptions of its own
                told = f"{self.access.who}: {cause(error)}" + f" (after {tries} tries)" * (tries > 1)
                raise (Declined if _is_about_the_prompt(error) else CallFailed)(told) from error

    async def _try(self, chat: BaseChatModel, messages: list[Message], schema: type[BaseModel] | None) -> Reply:
        asked: Any = chat if schema is None else self.access.bind_schema(chat, schema)
        begun = time.monotonic()
        try:
            call = asked.ainvoke(list[Any](messages), call_config(self.access.asker))
            answer = await within(self._settings.timeout, call)
            answer = answer if schema is None else answer["raw"]
            return read_reply(answer, messages, time.monotonic() - begun, self.prices)
        except UNREADABLE as error:
            raise NoReply(f"the reply is malformed ({type(error).__name__}: {error})") from error
        except Exception as error:
            cut = read_cut_reply(error, messages, time.monotonic() - begun, self.prices)
            if cut is None:
                raise
            return cut

    def _tokens(self, messages: list[Message]) -> int:
        """Estimate what a call counts for, as providers do when they let it in."""
        from langchain_core.messages.utils import count_tokens_approximately

        return (
            self._settings.max_tokens + count_tokens_approximately(list[Any](messages))
            if self._settings.tokens_per_minute
            else 0
        )

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            self.access.key(CallFailed)
            try:
                chat = self._build()
            except Exception as error:  # as in `check`, which the run may have gone without
                raise CallFailed(f"{self.access.who}: cannot be set up: {cause(error)}") from error
            limits = Limits(
                self._settings.concurrency, self._settings.requests_per_minute, self._settings.tokens_per_minute
            )
            for closed in [one for one in list(self._lines) if one.is_closed()]:
                self._lines.pop(closed, None)
            line = self._lines[loop] = _Line(chat, limits)
        return line

    def _build(self, **more: Any) -> BaseChatModel:
        options: dict[str, Any] = {
            **more,
            "max_tokens": self._settings.max_tokens,
            "timeout": LOOSER * self._settings.timeout,
            "max_retries": 0,  # ours know more
        }
        if self._settings.temperature is not None:
            options["temperature"] = self._settings.temperature
        return self.access.build(self._settings.concurrency, **options)


def _is_about_the_prompt(error: Exception) -> bool:
    """Whether another prompt would do; a plain 400 may as well mean a setting or an account."""
    from langchain_core.exceptions import ContextOverflowError

    status, said = status_of(error), str(error)
    too_long = status == TOO_LARGE or (status == REFUSED and any(words in said for words in OVERFLOW))
    return too_long or isinstance(error, ContextOverflowError) or getattr(error, "code", None) in FILTERED
