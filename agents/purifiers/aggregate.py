"""The purifier that has a chat model write one rationale out of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...schema import Problem, Purified, Rationale
from ...spending import Estimate
from ..chat.asker import ChatAsker
from ..chat.parsing import clean
from ..fusion_prompt import FUSION_VERSION, fusion_messages
from ..prompts import PROMPT_TOKENS
from .consensus import all_alike


@dataclass(frozen=True, eq=False, kw_only=True)
class AggregatePurifier(ChatAsker):
    """Asks a chat model to fuse all verified rationales of a problem into one, through `ChatModel`.

    Knowledge Purification's first purifier (arXiv 2602.01064), the weakest of its five. What the model writes is judged
    as a teacher's text is; where it fails, or its call does, the majority is taught. Rationales that are all the same
    are not asked about. Nothing is connected to before the first call or `check`.

    Raises:
        InputError: If a setting cannot work.
    """

    @property
    def _who(self) -> str:
        return "the purifier"

    async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the model's own rationale, or one of those given where there is nothing to fuse.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.

        Raises:
            Declined: If the provider refuses this prompt.
            CallFailed: If the model cannot be reached, refuses the key or answers with an error after all retries.
        """
        if all_alike(rationales):
            return Purified(rationales=(rationales[0],))
        reply = await self._chat.ask(fusion_messages(problem, rationales), FUSION_VERSION)
        return Purified(rationales=(Rationale(text=clean(reply)),))

    def estimate(self, problem: Problem, rationales: Sequence[Rationale]) -> Estimate:
        """Say what fusing takes."""
        return self._chat.estimate(fusion_messages(problem, rationales), PROMPT_TOKENS)
