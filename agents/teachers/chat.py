"""The teacher that asks a chat model: any LangChain provider, or any OpenAI-compatible server such as vLLM."""

from __future__ import annotations

import asyncio
import os
import time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ...errors import Declined, InputError, RunError
from ...ledger import CallLedger, Reply
from ...schema import TeachingRequest
from ...seams import Message
from ..prompts import PROMPT_VERSION, teaching_messages

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NO_KEY = "none"
"""Sent to servers that need no key, so that a key meant for somebody else is not picked up from the environment."""
PROBE_SECONDS = 5.0
"""How long `check` waits for a server."""
REPLY_CAP = 20_000
"""Characters of a reply that are kept."""


SECRETS = ("_KEY", "_TOKEN", "_SECRET")
"""Ends of the names of environment variables that are blacked out in messages, with `api_key_env` itself."""
SHORTEST_KEY = 6
"""Characters; a shorter value of theirs is no key, and might be a word of the message."""
FILTERED = ("content_filter", "content_policy_violation")
"""Error codes of a prompt that a provider will not answer."""
TOO_LARGE = 413


class _Line(NamedTuple):
    """What belongs to one event loop: its connections and the bound on calls at once."""

    chat: BaseChatModel
    free: asyncio.Semaphore


class ChatTeacher:
    """Asks a chat model for a rationale.

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
        name: str = "chat",
        price_in: float = 0.0,
        price_out: float = 0.0,
        ledger: CallLedger | None = None,
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
            name: The teacher's name in files and traces.
            price_in: US dollars a million tokens read.
            price_out: US dollars a million tokens written.
            ledger: Where replies are kept; None asks the model each time.

        Raises:
            InputError: If a setting cannot work.
        """
        self.name = name
        self.model = model.removeprefix("openai:") if base_url else model
        self.base_url = base_url.rstrip("/") if base_url else None
        self._api_key_env = api_key_env
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._concurrency = concurrency
        self._timeout = timeout
        self._retries = retries
        self.prices = price_in, price_out
        self._ledger = ledger
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}
        self._require_sense()

    async def teach(self, request: TeachingRequest) -> str:
        """Return the model's rationale, without its private thoughts and code fences.

        Raises:
            Declined: If the provider refuses this prompt.
            RunError: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        messages = teaching_messages(request)
        if self._ledger is None:
            reply = await self._invoke(messages)
        else:
            parameters = {"temperature": self._temperature, "max_tokens": self._max_tokens}
            reply = await self._ledger.call(
                self._where(), messages, parameters, PROMPT_VERSION, lambda: self._invoke(messages)
            )
        return clean(reply.text)

    def check(self) -> None:
        """Find what would fail at the first call, without paying for one.

        Raises:
            InputError: If the key is not set, the provider's package is missing, the server cannot be reached, or it
                does not serve the model.
        """
        self._key(InputError)
        if self.base_url is not None:
            self._check_server(self.base_url)
            return
        try:
            self._build()
        except Exception as error:  # whatever the provider's package raises
            raise InputError(f"{self._who()}: cannot be set up: {self._cause(error)}") from error

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the next call opens new ones."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        connections = getattr(line.chat, "http_async_client", None) if line is not None else None
        if connections is not None:
            await connections.aclose()

    def _where(self) -> str:
        """Name the model and its server: two servers may call different models by one name."""
        return f"{self.model} @ {self.base_url}" if self.base_url else self.model

    def _require_sense(self) -> None:
        def require(option: str, holds: bool, remedy: str) -> None:
            if not holds:
                raise InputError(f"teacher {self.name!r}: {option} {remedy}")

        require("model", bool(self.model.strip()), "must name a model, such as 'openai:gpt-5-mini'")
        require("base_url", _is_http(self.base_url), "must begin with http:// or https://, as http://localhost:8000/v1")
        require("base_url", not _has_secret(self.base_url), "must hold no user, password or query; use api_key_env")
        require("max_tokens", self._max_tokens >= 1, "must be at least 1")
        require("concurrency", self._concurrency >= 1, "must be at least 1")
        require("timeout", self._timeout > 0, "must be more than 0 seconds")
        require("retries", self._retries >= 0, "must not be negative")
        require("price_in and price_out", min(self.prices) >= 0, "must not be negative")

    async def _invoke(self, messages: list[Message]) -> Reply:
        line = self._line()
        async with line.free:
            begun = time.monotonic()
            try:
                answer = await line.chat.ainvoke(list[Any](messages))
            except Exception as error:  # every provider has exceptions of its own
                if _is_about_the_prompt(error):
                    raise Declined(f"{self._who()}: {self._cause(error)}") from error
                raise RunError(f"{self._who()}: {self._cause(error)}") from error
            seconds = time.monotonic() - begun
        usage = answer.usage_metadata
        tokens_in, tokens_out = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        usd = (tokens_in * self.prices[0] + tokens_out * self.prices[1]) / 1e6
        return Reply(str(answer.text)[:REPLY_CAP], tokens_in, tokens_out, usd, seconds)

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            self._key(RunError)
            try:
                chat = self._build()
            except Exception as error:  # as in `check`, which the run may have gone without
                raise RunError(f"{self._who()}: cannot be set up: {self._cause(error)}") from error
            for closed in [one for one in list(self._lines) if one.is_closed()]:
                self._lines.pop(closed, None)
            line = self._lines[loop] = _Line(chat, asyncio.Semaphore(self._concurrency))
        return line

    def _build(self) -> BaseChatModel:
        """Make LangChain's model. Needs no network."""
        from langchain.chat_models import init_chat_model

        options: dict[str, Any] = {
            "max_tokens": self._max_tokens,
            "timeout": self._timeout,
            "max_retries": self._retries,
        }
        if self._temperature is not None:
            options["temperature"] = self._temperature
        key = self._key(RunError)
        if key is not None:
            options["api_key"] = key
        if self.base_url is not None:
            options |= {"base_url": self.base_url, "model_provider": "openai"}
        if self.base_url is not None or self.model.startswith("openai:"):
            from openai import DefaultAsyncHttpxClient

            # LangChain's own connections are shared by all event loops of the process, also by closed ones.
            options["http_async_client"] = DefaultAsyncHttpxClient(timeout=self._timeout)
        made: BaseChatModel = init_chat_model(self.model, **options)
        return made

    def _key(self, failure: type[InputError | RunError]) -> str | None:
        """Read the key from the environment; None leaves it to the provider's package."""
        if self._api_key_env is None:
            return NO_KEY if self.base_url else None
        key = os.environ.get(self._api_key_env, "")
        if not key:
            raise failure(f"{self._who()}: the environment variable {self._api_key_env} is not set; it holds the key")
        return key

    def _check_server(self, base_url: str) -> None:
        import httpx

        url = f"{base_url}/models"
        try:
            answer = httpx.get(url, headers={"Authorization": f"Bearer {self._key(InputError)}"}, timeout=PROBE_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InputError(f"{self._who()}: cannot be reached: {self._cause(error)}; is the server up?") from error
        if answer.status_code in (401, 403):
            raise InputError(f"{self._who()}: refuses the key (HTTP {answer.status_code}); set `api_key_env`")
        if answer.status_code >= 500:
            raise InputError(f"{self._who()}: is not well (HTTP {answer.status_code}); look at the server's log")
        served = _served(answer) if answer.is_success else []
        if served and not any(self.model in (one, one.split(":")[0], one.rsplit("/", 1)[-1]) for one in served):
            near = get_close_matches(self.model, served, n=1, cutoff=0.3) or served[:1]
            raise InputError(f"{self._who()}: does not serve this model; it has {near[0]!r} ({len(served)} in all)")

    def _who(self) -> str:
        """Name the teacher, its model and its server."""
        server = f" at {self.base_url}" if self.base_url else ""
        return f"teacher {self.name!r} ({self.model}{server})"

    def _cause(self, error: BaseException) -> str:
        """Say in one line what went wrong, with keys blacked out: some providers repeat them."""
        text = " ".join(str(error).split())
        secrets = {os.environ.get(self._api_key_env or "", "")} - {""}
        secrets |= {v for name, v in os.environ.items() if name.endswith(SECRETS) and len(v) >= SHORTEST_KEY}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def clean(text: str) -> str:
    """Take out `<think>` blocks and the lines of code fences; what is between the fences stays.

    A block that never ends runs to the end of the text; one that never began, from its beginning (some servers put
    the opening tag into the prompt).
    """
    kept, rest = [], text
    while rest:
        before, opened, inside = rest.partition("<think>")
        kept.append(before.rpartition("</think>")[2])
        rest = inside.partition("</think>")[2] if opened else ""
    lines = [line for line in "".join(kept).splitlines() if not line.lstrip().startswith("```")]
    return "\n".join(lines).strip()


def _is_about_the_prompt(error: Exception) -> bool:
    """Whether another prompt would do; a plain 400 may as well mean a setting or an account."""
    from langchain_core.exceptions import ContextOverflowError

    too_long = isinstance(error, ContextOverflowError) or getattr(error, "status_code", None) == TOO_LARGE
    return too_long or getattr(error, "code", None) in FILTERED


def _served(answer: Any) -> list[str]:
    """Return the ids that a server lists; none if it lists them in a way of its own."""
    try:
        rows = answer.json()["data"]
        return [str(row["id"]) for row in rows]
    except (ValueError, KeyError, TypeError):
        return []


def _has_secret(url: str | None) -> bool:
    """Whether a URL may hold what must not be written into a run directory."""
    return url is not None and ("@" in urlsplit(url).netloc or bool(urlsplit(url).query))


def _is_http(url: str | None) -> bool:
    return url is None or (url.startswith(("http://", "https://")) and bool(urlsplit(url).netloc))
