"""The critic that asks a chat model, with a prompt of its own."""

from __future__ import annotations

import re

from ...ledger import CallLedger
from ...schema import Rationale, TeachingRequest
from ...seams import NOTHING_TO_ASK
from ...spending import Estimate
from ..chat.model import ChatModel
from ..chat.parsing import clean
from ..chat.prices import Prices
from ..prompts import CRITIC_VERSION, PROMPT_TOKENS, critic_messages

_QUESTION = re.compile(r"[^.!?？。\n]*(?:\.(?=\w)[^.!?？。\n]*)*[?？]")
_SHORTEST = 3
"""Letters or digits of a question."""


class ChatCritic:
    """Asks a chat model for one Socratic question, through `ChatModel`; whatever else it says is left out."""

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key_env: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int = 96,
        concurrency: int = 16,
        timeout: float = 60.0,
        retries: int = 5,
        patience: float = 300.0,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        price_in: float | None = None,
        price_out: float | None = None,
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
            patience: Seconds after which no further try of a call begins.
            requests_per_minute: Tries a minute, spread evenly; None for no limit.
            tokens_per_minute: Tokens a minute, counted as `max_tokens` and an estimate of the prompt's; None for no
                limit.
            price_in: US dollars a million tokens read; None is the listed price, if the model has one.
            price_out: US dollars a million tokens written; likewise.
            ledger: Where replies are kept; None asks the model each time.

        Raises:
            InputError: If a setting cannot work.
        """
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
            ledger=ledger,
            who="the critic",
        )

    @property
    def prices(self) -> Prices | None:
        """US dollars a million tokens read and written; None if nobody knows."""
        return self._chat.prices

    async def critique(self, request: TeachingRequest, rationale: Rationale) -> str:
        """Return the model's first question, or the stop signal.

        Raises:
            Declined: If the provider refuses this prompt.
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        return one_question(await self._chat.ask(critic_messages(request, rationale), CRITIC_VERSION))

    def estimate(self, request: TeachingRequest, rationale: Rationale) -> Estimate:
        """Say what asking about a rationale takes."""
        return self._chat.estimate(critic_messages(request, rationale), PROMPT_TOKENS)

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


def one_question(reply: str) -> str:
    """Cut a reply to its first question; empty if it asks none. The stop signal anywhere in it stops."""
    said = clean(reply)
    if NOTHING_TO_ASK.rstrip(".").casefold() in said.casefold():
        return NOTHING_TO_ASK
    questions = (" ".join(match.group().split()).lstrip("-*#>0123456789) ") for match in _QUESTION.finditer(said))
    return next((one for one in questions if sum(map(str.isalnum, one)) >= _SHORTEST), "")
