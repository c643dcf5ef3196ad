"""The way to a chat model: its name, its server and its key."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import InputError, RunError
from ...secret import read_secret, without_secrets

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from pydantic import BaseModel

NO_KEY = "none"
"""Sent to servers that need no key, so that a key meant for somebody else is not picked up from the environment."""
PROBE_SECONDS = 5.0
"""How long `check` waits for a server."""
_LONGEST = 300
"""Characters of somebody else's message."""


@dataclass(frozen=True)
class Access:
    """Where a chat model is, and with which key.

    Attributes:
        model: `provider:model` as LangChain has it; with `base_url` the name the server knows it by.
        base_url: An OpenAI-compatible server; None is the provider's own.
        api_key_env: Environment variable of the key; None is the provider's own, or with `base_url` no key.
        asker: Who asks, for messages: `teacher 'chat'`.
    """

    model: str
    base_url: str | None
    api_key_env: str | None
    asker: str

    @property
    def place(self) -> str:
        """Name the model and its server: two servers may call different models by one name."""
        return f"{self.model} @ {self.base_url}" if self.base_url else self.model

    @property
    def who(self) -> str:
        """Name the asker, the model and its server, for messages."""
        server = f" at {self.base_url}" if self.base_url else ""
        return f"{self.asker} ({self.model}{server})"

    def require_sense(self) -> None:
        """Raise InputError for a model or a URL that cannot work."""
        if not self.model.strip():
            raise InputError(f"{self.asker}: model must name a model, such as 'openai:gpt-5-mini'")
        if not _is_http(self.base_url):
            raise InputError(f"{self.asker}: base_url must begin with http:// or https://, as http://localhost:8000/v1")
        if _has_secret(self.base_url):
            raise InputError(f"{self.asker}: base_url must hold no user, password or query; use api_key_env")

    def key(self, failure: type[InputError | RunError]) -> str | None:
        """Read the key from the environment; None leaves it to the provider's package.

        Raises:
            InputError: If the variable is not set; or RunError, as `failure` says.
        """
        if self.api_key_env is None:
            return NO_KEY if self.base_url else None
        key = read_secret(self.api_key_env)
        if not key:
            raise failure(f"{self.who}: the environment variable {self.api_key_env} is not set; it holds the key")
        return key

    def build(self, concurrency: int, **options: Any) -> BaseChatModel:
        """Make LangChain's model. Needs no network.

        Args:
            concurrency: Connections at once.
            **options: Of `init_chat_model`; `timeout` among them.
        """
        from langchain.chat_models import init_chat_model

        key = self.key(RunError)
        if key is not None:
            options["api_key"] = key
        if self.base_url is not None:
            options |= {"base_url": self.base_url, "model_provider": "openai"}
        if self._is_openai:
            from httpx2 import Limits
            from openai import DefaultAsyncHttpxClient

            # LangChain's own connections are shared by all event loops of the process, also by closed ones. How many
            # there are is for our own limits to say: here a call would wait on its time.
            limits = Limits(max_connections=None, max_keepalive_connections=concurrency)
            options["http_async_client"] = DefaultAsyncHttpxClient(timeout=options["timeout"], limits=limits)
        made: BaseChatModel = init_chat_model(self.model, **options)
        return made

    def bind_schema(self, chat: BaseChatModel, schema: type[BaseModel]) -> Any:
        """Return what asks for JSON of a schema, and returns the reply whatever it is, as `raw` of a dictionary."""
        # Given as a class, OpenAI's client checks the reply against it, and throws away what was paid for.
        strict = {"strict": True} if self._is_openai else {}
        return chat.with_structured_output(schema.model_json_schema(), include_raw=True, **strict)

    @property
    def _is_openai(self) -> bool:
        return self.base_url is not None or self.model.startswith("openai:")

    def check(self) -> None:
        """Ask the server what it serves, if it is not the provider's own.

        Raises:
            InputError: If the key is not set, the server cannot be reached or does not serve the model.
        """
        key = self.key(InputError)
        if self.base_url is not None:
            self._check_server(f"{self.base_url}/models", key)

    def _check_server(self, url: str, key: str | None) -> None:
        import httpx

        try:
            answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=PROBE_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InputError(f"{self.who}: cannot be reached: {cause(error)}; is the server up?") from error
        if answer.status_code in (401, 403):
            raise InputError(f"{self.who}: refuses the key (HTTP {answer.status_code}); set `api_key_env`")
        if answer.status_code >= 500:
            raise InputError(f"{self.who}: is not well (HTTP {answer.status_code}); look at the server's log")
        served = _served(answer) if answer.is_success else []
        if served and not any(self.model in (one, one.split(":")[0], one.rsplit("/", 1)[-1]) for one in served):
            near = get_close_matches(self.model, served, n=1, cutoff=0.3) or served[:1]
            raise InputError(f"{self.who}: does not serve this model; it has {near[0]!r} ({len(served)} in all)")


def cause(error: BaseException) -> str:
    """Say in one line what went wrong, with secrets blacked out."""
    text = " ".join(without_secrets(str(error)).split())
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3].rpartition(" ")[0] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


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
