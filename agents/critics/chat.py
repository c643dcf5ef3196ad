"""The critic that asks a chat model, with a prompt of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...schema import Rationale, TeachingRequest
from ...seams import NOTHING_TO_ASK
from ...spending import Estimate
from ..chat.asker import ChatAsker
from ..chat.parsing import clean
from ..prompts import CRITIC_VERSION, PROMPT_TOKENS, critic_messages

_QUESTION = re.compile(r"[^.!?？。\n]*(?:\.(?=\w)[^.!?？。\n]*)*[?？]")
_SHORTEST = 3
"""Letters or digits of a question."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ChatCritic(ChatAsker):
    """Asks a chat model for one Socratic question, through `ChatModel`; whatever else it says is left out.

    Nothing is imported, read from the environment or connected to before the first call or `check`.

    Raises:
        InputError: If a setting cannot work.
    """

    max_tokens: int = 96
    """Longest reply."""

    @property
    def _who(self) -> str:
        return "the critic"

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


def one_question(reply: str) -> str:
    """Cut a reply to its first question; empty if it asks none. The stop signal anywhere in it stops."""
    said = clean(reply)
    if NOTHING_TO_ASK.rstrip(".").casefold() in said.casefold():
        return NOTHING_TO_ASK
    questions = (" ".join(match.group().split()).lstrip("-*#>0123456789) ") for match in _QUESTION.finditer(said))
    return next((one for one in questions if sum(map(str.isalnum, one)) >= _SHORTEST), "")
