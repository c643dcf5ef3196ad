"""Prompts asked for at about the same time go to the engine together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tutelage.agents.batcher import MicroBatcher, Prompt
from tutelage.seams import Generation


class Recorder:
    """Repeats a prompt, and remembers with how many others it came."""

    def __init__(self, fails_on: str = "") -> None:
        self.sizes: list[int] = []
        self.fails_on = fails_on

    def __call__(self, prompts: Sequence[Prompt]) -> list[Generation]:
        self.sizes.append(len(prompts))
        texts = [prompt[-1]["content"] for prompt in prompts]
        if self.fails_on in texts:
            raise ValueError("no")
        return [Generation(text, 0.0, 1, True) for text in texts]


def asked(text: str) -> Prompt:
    return [{"role": "user", "content": text}]


async def test_concurrent_prompts_are_one_batch_and_each_gets_its_own_answer() -> None:
    recorder = Recorder()
    batcher = MicroBatcher(recorder, wait=0.01)
    answers = await asyncio.gather(*(batcher.ask(asked(str(n))) for n in range(20)))
    assert [answer.text for answer in answers] == [str(n) for n in range(20)]
    assert recorder.sizes == [20]
    assert (await batcher.ask(asked("later"))).text == "later"
    assert recorder.sizes == [20, 1]


async def test_a_failure_reaches_all_of_its_batch_and_nobody_else() -> None:
    batcher = MicroBatcher(Recorder(fails_on="bad"), wait=0.01)
    failed = await asyncio.gather(batcher.ask(asked("bad")), batcher.ask(asked("good")), return_exceptions=True)
    assert [str(error) for error in failed] == ["no", "no"]
    assert (await batcher.ask(asked("good"))).text == "good"


async def test_who_leaves_is_not_asked_for() -> None:
    recorder = Recorder()
    batcher = MicroBatcher(recorder, wait=0.01)
    leaving = asyncio.create_task(batcher.ask(asked("gone")))
    staying = asyncio.create_task(batcher.ask(asked("here")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).text == "here"
    assert recorder.sizes == [1]
    with pytest.raises(asyncio.CancelledError):
        await leaving
