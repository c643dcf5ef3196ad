"""Gather prompts that are asked for at about the same time into one call of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..model_thread import on_model_thread
from ..seams import Generation, Message

Prompt = Sequence[Message]
Generate = Callable[[Sequence[Prompt]], Sequence[Generation]]

WAIT = 0.02
"""Seconds in which others may join the first prompt of a batch."""


class MicroBatcher:
    """Answers single prompts of concurrent callers in batches, on the thread of the model.

    A batch takes all that wait when the one before it is done, so that the slower the model, the larger the batches.
    """

    def __init__(self, generate: Generate, wait: float = WAIT) -> None:
        """Answer with `generate`: one generation a prompt, in the prompts' order."""
        self._generate = generate
        self._wait = wait
        self._waiting: list[tuple[Prompt, asyncio.Future[Generation]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, prompt: Prompt) -> Generation:
        """Return the generation for one prompt; what `generate` raises is raised to each that waited for it."""
        answer: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        self._waiting.append((prompt, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._wait)
            batch = [
                (prompt, answer) for prompt, answer in self._waiting if not answer.done()
            ]  # the rest were cancelled
            self._waiting = []
            try:
                made = await on_model_thread(self._generate, [prompt for prompt, _ in batch])
                answered = list(zip(batch, made, strict=True))
            except Exception as error:  # each of those who wait has to hear of it
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for (_, answer), generation in answered:
                if not answer.done():
                    answer.set_result(generation)
