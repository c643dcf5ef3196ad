"""The teacher that asks a chat model: any LangChain provider, or any OpenAI-compatible server such as vLLM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...schema import StrategyRequest, TeachingRequest
from ...spending import Estimate
from ..chat.asker import ChatAsker
from ..chat.parsing import Solution, clean, read_solution
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


@dataclass(frozen=True, eq=False, kw_only=True)
class ChatTeacher(ChatAsker):
    """Asks a chat model for a rationale, through `ChatModel`.

    Nothing is imported, read from the environment or connected to before the first call or `check`.

    Raises:
        InputError: If a setting cannot work.
    """

    name: str = "chat"
    """The teacher's name in files and traces."""
    structured: bool | Literal["auto"] = "auto"
    """Whether the model keeps to a JSON schema; `auto` asks LangChain's table of models, and means no for a server of
    one's own."""

    @property
    def _who(self) -> str:
        return f"teacher {self.name!r}"

    @property
    def _keeps_schema(self) -> bool | Literal["auto"]:
        return self.structured

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
