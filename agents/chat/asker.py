"""Whoever asks a chat model: its options, its client, and what every one of them offers a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...ledger import CallLedger
from .model import ChatModel
from .prices import Prices
from .settings import ChatSettings


@dataclass(frozen=True, eq=False, kw_only=True)
class ChatAsker(ChatSettings, ABC):
    """Base of a teacher, a critic or a purifier that asks a chat model.

    Nothing is imported, read from the environment or connected to before the first call or `check`.

    Raises:
        InputError: If a setting cannot work.
    """

    ledger: CallLedger | None = None
    """Where replies are kept; None asks the model each time."""

    def __post_init__(self) -> None:
        _ = self._chat  # what cannot work is said at once

    @property
    @abstractmethod
    def _who(self) -> str:
        """Name the asker, for messages."""

    @property
    def _keeps_schema(self) -> bool | Literal["auto"]:
        """Whether the model keeps to a JSON schema; most askers have none."""
        return False

    @cached_property
    def _chat(self) -> ChatModel:
        return ChatModel(self, structured=self._keeps_schema, ledger=self.ledger, who=self._who)

    @property
    def prices(self) -> Prices | None:
        """US dollars a million tokens read and written; None if nobody knows."""
        return self._chat.prices

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
