"""The teacher that asks a chat model: any LangChain provider, or any OpenAI-compatible server such as vLLM."""

from __future__ import annotations

from typing import Literal

from ...ledger import CallLedger
from ...schema import StrategyRequest, TeachingRequest
from ...spending import Estimate
from ..chat.model import ChatModel
from ..chat.parsing import Solution, clean, read_solution
from ..chat.prices import Prices
from ..prompts import (
    PROMPT_TOKENS,
    REPAIR,
    STRATEGY_VERSION,
    count_tokens,
    repair_messages,
    strategy_messages,
    teaching_messages,
    teaching_version,
)


class ChatTeacher:
    """Asks a chat model for a rationale, through `ChatModel`."""

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key_env: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int = 512,
        concurrency: int = 16,
        timeout: float = 60.0,
        retries: int = 5,
        name: str = "chat",
        patience: float = 300.0,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        price_in: float | None = None,
        price_out: float | None = None,
        structured: bool | Literal["auto"] = "auto",
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
            patience: Seconds after which no further try of a call begins.
            requests_per_minute: Tries a minute, spread evenly; None for no limit.
            tokens_per_minute: Tokens a minute, counted as `max_tokens` and an estimate of the prompt's; None for no
                limit.
            price_in: US dollars a million tokens read; None is the listed price, if the model has one.
            price_out: US dollars a million tokens written; likewise.
            structured: Whether the model keeps to a JSON schema; `auto` asks LangChain's table of models, and means
                no for a server of one's own.
            ledger: Where replies are kept; None asks the model each time.

        Raises:
            InputError: If a setting cannot work.
        """
        self.name = name
        self._chat = ChatModel(
            model,
            base_url,
            api_key_env,
            temperature=temperature,
            max_tokens=max_tokens,
            concurrency=concurrency,
            timeout=timeout,
            retries=retries,
            patience=patience,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            price_in=price_in,
            price_out=price_out,
            structured=structured,
            ledger=ledger,
            who=f"teacher {name!r}",
        )

    @property
    def prices(self) -> Prices | None:
        """US dollars a million tokens read and written; None if nobody knows."""
        return self._chat.prices

    async def teach(self, request: TeachingRequest) -> str:
        """Return the model's rationale in plain sentences, with the answer that it declares as the last line.

        A reply that declares none is sent back once; if that does not help, it is returned without one.

        Raises:
            Declined: If the provider refuses this prompt.
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        messages = teaching_messages(request)
        version = teaching_version(request)
        lines = request.problem.answer.strip().count("\n") + 1
        reply = await self._chat.ask(messages, version, Solution)
        read = read_solution(reply, lines)
        if read.answer is None:
            again = await self._chat.ask(repair_messages(messages, reply), version, Solution)
            read = max(read, read_solution(again, lines), key=lambda one: one.answer is not None)
        return read.text

    async def strategise(self, request: StrategyRequest) -> str:
        """Return the model's strategy for a weakness.

        Raises:
            Declined: If the provider refuses this prompt.
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        return clean(await self._chat.ask(strategy_messages(request), STRATEGY_VERSION))

    def estimate(self, request: TeachingRequest) -> Estimate:
        """Say what asking for a rationale takes; at most with the one repair turn."""
        messages = teaching_messages(request)
        return self._chat.estimate(messages, PROMPT_TOKENS + count_tokens(REPAIR), turns=2)

    def check(self) -> None:
        """Find what would fail at the first call, without paying for one.

        Raises:
            InputError: If the key is not set, the provider's package is missing, the server cannot be reached, or it
                does not serve the model.
        """
        self._chat.check()

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the next call opens new ones."""
        await self._chat.aclose()
