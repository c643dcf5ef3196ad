"""How a chat model is asked: the options that whoever asks one has in common."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from ...errors import InputError


@dataclass(frozen=True, eq=False)
class ChatSettings:
    """The options of whoever asks a chat model (see `ChatAsker`); its own come after these.

    Raises:
        InputError: By `require_sense`, if a setting cannot work.
    """

    model: str
    """`provider:model` as LangChain has it; with `base_url` the name the server knows it by."""
    base_url: str | None = None
    """An OpenAI-compatible server, such as `http://localhost:8000/v1`."""
    api_key_env: str | None = None
    """Environment variable of the key; None is the provider's own, or with `base_url` no key."""
    _: KW_ONLY
    temperature: float | None = 0.0
    """Of the sampling; None leaves it to the model."""
    max_tokens: int = 512
    """Longest reply."""
    concurrency: int = 16
    """Calls at once."""
    timeout: float = 60.0
    """Seconds for one try."""
    retries: int = 5
    """Tries after the first."""
    patience: float = 300.0
    """Seconds after which no further try of a call begins."""
    requests_per_minute: float | None = None
    """Tries a minute, spread evenly; None for no limit."""
    tokens_per_minute: float | None = None
    """Tokens a minute, counted as `max_tokens` and an estimate of the prompt's; None for no limit."""
    price_in: float | None = None
    """US dollars a million tokens read; None is the listed price, if the model has one."""
    price_out: float | None = None
    """US dollars a million tokens written; likewise."""

    def require_sense(self, asker: str) -> None:
        """Raise InputError, which names who asks, for a setting that cannot work."""

        def require(option: str, holds: bool, remedy: str) -> None:
            if not holds:
                raise InputError(f"{asker}: {option} {remedy}")

        require("max_tokens", self.max_tokens >= 1, "must be at least 1")
        require("concurrency", self.concurrency >= 1, "must be at least 1")
        require("timeout", self.timeout > 0, "must be more than 0 seconds")
        require("retries", self.retries >= 0, "must not be negative")
        require("patience", self.patience > 0, "must be more than 0 seconds")
        for option in ("requests_per_minute", "tokens_per_minute"):
            limit = getattr(self, option)
            require(option, limit is None or limit > 0, "must be more than 0; leave it out for no limit")
        prices = [price for price in (self.price_in, self.price_out) if price is not None]
        require("price_in and price_out", len(prices) != 1, "must be given together")
        require("price_in and price_out", min(prices, default=0) >= 0, "must not be negative")
