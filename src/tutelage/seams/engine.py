"""What runs a student's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

Message = dict[str, str]
"""A chat message: `role` and `content`."""


class Generation(NamedTuple):
    """One text that a student generated."""

    text: str
    logprob: float
    """Mean log-probability per generated token, the end-of-turn token included."""
    tokens: int
    stopped: bool
    """Whether it ended by itself rather than at the token limit."""


@runtime_checkable
class Engine(Protocol):
    """What runs a student's weights.

    It may have `count_tokens(text) -> int` too: a rationale that is longer than the student's answers may be is then
    turned away. And `likelihoods(checkpoint, answers: Sequence[tuple[Sequence[Message], str]]) -> list[float]`: the
    mean log-probability per token, the end-of-turn token included, with which that student answers a prompt by a text;
    some purifiers need it.
    """

    def generate(
        self,
        checkpoint: str,
        prompts: Sequence[Sequence[Message]],
        *,
        samples: int = 1,
        sampled: bool = False,
        seed: int = 0,
        max_new_tokens: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[list[Generation]]:
        """Answer each prompt `samples` times.

        Args:
            checkpoint: `base`, or a checkpoint's folder.
            prompts: Chat messages, one list a prompt.
            samples: Answers a prompt.
            sampled: Whether tokens are drawn; otherwise the likeliest is taken.
            seed: Seed of the sampling.
            max_new_tokens: Overrides the engine's own limit.
            on_progress: Called with the number of prompts just answered.
        """
        ...

    def release(self) -> None:
        """Free the memory that the weights take; the next call loads them again."""
        ...
