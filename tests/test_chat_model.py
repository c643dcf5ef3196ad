"""One client of a chat model: limits, retries, prices and structured output, against a loopback server."""

from __future__ import annotations

import asyncio
import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from langchain_openai.chat_models.base import OpenAIRateLimitError
from pydantic import BaseModel
from tenacity.wait import wait_random_exponential

from tutelage.agents.chat import retries
from tutelage.agents.chat.limits import Pace
from tutelage.agents.chat.model import ChatModel
from tutelage.agents.chat.retries import LONGEST_TOLD, is_worth_another_try, told_pause
from tutelage.agents.chat.settings import ChatSettings
from tutelage.errors import CallFailed, Declined, InputError
from tutelage.ledger import CallLedger
from tutelage.seams import Message
from tutelage.testing import chat_server, faults
from tutelage.testing.chat_server import ChatServer, Sent
from tutelage.testing.faults import MALFORMED_BODIES, Faults


class Solution(BaseModel):
    answer: str


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of some milliseconds."""
    monkeypatch.setattr(retries, "_backoff", wait_random_exponential(multiplier=0.005, max=0.02))


def ask(number: int = 0) -> list[Message]:
    return [{"role": "user", "content": f"Say {number}."}]


def say(messages: list[Message]) -> str:
    return messages[-1]["content"].removeprefix("Say ")


def failure(status: int, code: str = "", **headers: str) -> openai.APIStatusError:
    response = httpx2.Response(status, headers=headers, request=httpx2.Request("POST", "http://x"))
    kind = OpenAIRateLimitError if status == 429 else openai.APIStatusError
    return kind("no", response=response, body={"code": code})


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_what_may_go_away_is_tried_again(quick: None, status: int) -> None:
    assert is_worth_another_try(failure(status))
    with ChatServer(say, fail_first=2, fail_status=status) as server:
        assert await ChatModel(ChatSettings("fake", server.base_url)).ask(ask(), "v") == "0."
        assert server.requests == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_what_will_not_go_away_is_not_tried_again(quick: None, status: int) -> None:
    with ChatServer(fail_first=99, fail_status=status) as server:
        with pytest.raises(Declined if status == 413 else CallFailed) as caught:
            await ChatModel(ChatSettings("fake", server.base_url)).ask(ask(), "v")
        assert server.requests == 1
    assert "tries" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "declined"),
    [
        ("This model's maximum context length is 2048 tokens. However, your prompt contains 1985 input tokens", True),
        ("the request exceeds the available context size, try increasing it", True),
        ("max_completion_tokens=4000 cannot be greater than max_model_len=2048", False),
    ],
)
async def test_a_prompt_too_long_for_one_s_own_server_is_that_prompt_s_matter(said: str, declined: bool) -> None:
    class Full(ChatServer):
        def serve(self, headers: dict[str, str], body: dict[str, Any]) -> Sent:
            return Sent(400, json.dumps({"error": {"message": said, "code": 400}}).encode(), {})

    with Full() as server, pytest.raises(Declined if declined else CallFailed, match=said[:40]):
        await ChatModel(ChatSettings("fake", server.base_url)).ask(ask(), "v")


def test_waiting_brings_no_money() -> None:
    assert is_worth_another_try(failure(429, "rate_limit_exceeded"))
    assert not is_worth_another_try(failure(429, "insufficient_quota"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": formatdate(time.time() + 3600, usegmt=True)}, 3600),
        ({"retry-after": formatdate(time.time() - 3600, usegmt=True)}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_a_server_names_the_pause(headers: dict[str, str], seconds: float | None) -> None:
    told = told_pause(failure(429, "", **headers))
    assert told is None if seconds is None else told == pytest.approx(seconds, abs=600)
    if seconds is not None and seconds < 100:
        assert told == seconds


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been slept; nobody does."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    return pauses


async def test_the_pause_that_a_server_names_is_kept_up_to_a_bound(slept: list[float]) -> None:
    for told, least, most in ((7.0, 7.0, 7.7), (3600.0, LONGEST_TOLD, LONGEST_TOLD * 1.1)):
        with ChatServer(fail_first=1, retry_after=told) as server:
            await ChatModel(ChatSettings("fake", server.base_url)).ask(ask(), "v")
        assert least <= max(slept) <= most
        slept.clear()


async def test_pauses_grow_and_patience_ends(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    with ChatServer(fail_first=99, fail_status=500) as server:
        with pytest.raises(CallFailed, match=r"\(after 5 tries\)"):
            await ChatModel(ChatSettings("fake", server.base_url, patience=8.0, retries=9)).ask(ask(), "v")
        assert server.requests == 5
    assert [seconds for seconds in slept if seconds >= 0.5] == [0.5, 1.0, 2.0, 4.0]  # 8 seconds would be too long


@pytest.mark.parametrize("body", range(len(MALFORMED_BODIES)))
async def test_a_malformed_reply_is_none(quick: None, monkeypatch: pytest.MonkeyPatch, body: int) -> None:
    monkeypatch.setattr(faults, "MALFORMED_BODIES", (MALFORMED_BODIES[body],))
    with ChatServer(faults=Faults(malformed_body=1.0)) as server:
        with pytest.raises(CallFailed, match=r"NoReply: the reply (is malformed|has no text).* \(after 3 tries\)$"):
            await ChatModel(ChatSettings("fake", server.base_url, retries=2)).ask(ask(), "v")
        assert server.requests == 3


async def test_an_empty_reply_that_was_charged_is_kept(tmp_path: Path) -> None:
    with ChatServer(lambda _: "\u2063") as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        model = ChatModel(ChatSettings("fake", server.base_url), ledger=ledger)
        assert await model.ask(ask(), "v") == await model.ask(ask(), "v")
        assert server.requests == 1 and ledger.cost().tokens_out == 1


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
@pytest.mark.parametrize("schema", [None, Solution])
async def test_tokens_that_the_server_does_not_tell_are_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usage: Any, schema: type[BaseModel] | None
) -> None:
    whole = chat_server._completion
    monkeypatch.setattr(chat_server, "_completion", lambda *given: {**whole(*given), "usage": usage})
    with ChatServer(lambda _: "word " * 100) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        model = ChatModel(
            ChatSettings("fake", server.base_url, price_in=1e6, price_out=2e6), structured=True, ledger=ledger
        )
        await model.ask([{"role": "user", "content": "long " * 400}], "v", schema)
        cost = ledger.cost()
    assert 500 <= cost.tokens_in <= 520 and 120 <= cost.tokens_out <= 140
    assert cost.usd == cost.tokens_in + 2 * cost.tokens_out


async def test_a_silent_server_is_given_up_after_all_tries(quick: None) -> None:
    with ChatServer(faults=Faults(silent=1.0)) as server:
        begun = time.monotonic()
        with pytest.raises(CallFailed, match=r"TimeoutError: no reply within 0.2 s \(after 3 tries\)"):
            await ChatModel(ChatSettings("fake", server.base_url, timeout=0.2, retries=2)).ask(ask(), "v")
        assert 0.6 <= time.monotonic() - begun < 10
        assert server.requests == 3


async def test_what_arrived_before_a_cancellation_is_not_paid_again(tmp_path: Path) -> None:
    with ChatServer(say, latency=0.2) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        model = ChatModel(ChatSettings("fake", server.base_url, concurrency=1), ledger=ledger)
        tasks = [asyncio.create_task(model.ask(ask(i), "v")) for i in range(4)]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        paid = ledger.cost().calls
        assert paid == len(done) == 1
        assert await model.ask(ask(0), "v") == "0."
        assert ledger.cost().calls == paid


async def test_as_many_connections_as_calls() -> None:
    with ChatServer(latency=1.0) as server:
        model = ChatModel(ChatSettings("fake", server.base_url, concurrency=120))
        await asyncio.gather(*(model.ask(ask(i), "v") for i in range(120)))
        assert server.peak > 100
        await model.aclose()


async def test_a_pace_is_kept_without_bursts() -> None:
    pace, begun = Pace(1200), time.monotonic()
    await asyncio.gather(*(pace.wait() for _ in range(30)))
    assert time.monotonic() - begun >= 0.49  # 20 at once, 10 more at 20 a second
    pace, begun = Pace(60_000), time.monotonic()
    await pace.wait(1500)
    assert time.monotonic() - begun >= 0.49


@pytest.mark.parametrize("limits", [{"requests_per_minute": 120}, {"tokens_per_minute": 2 * 60 * 102}])
async def test_limits_hold_up_calls_but_not_answers_from_the_ledger(tmp_path: Path, limits: dict[str, float]) -> None:
    with ChatServer() as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        model = ChatModel(ChatSettings("fake", server.base_url, max_tokens=90, **limits), ledger=ledger)
        begun = time.monotonic()
        await asyncio.gather(*(model.ask(ask(i), "v") for i in range(4)))
        assert time.monotonic() - begun > 0.8  # two at once, then two a second
        begun = time.monotonic()
        await asyncio.gather(*(model.ask(ask(i % 4), "v") for i in range(40)))
        assert time.monotonic() - begun < 10  # or it would be 20
        assert server.requests == 4


def test_listed_prices_are_known_and_can_be_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ChatModel(ChatSettings("openai:gpt-4o-mini")).prices
    assert listed is not None and (listed.read, listed.written) == (0.15, 0.6)
    assert listed.usd(2_000_000, 1_000_000) == pytest.approx(0.9)
    assert ChatModel(ChatSettings("gpt-4o-mini", "https://api.openai.com/v1")).prices == listed
    assert ChatModel(ChatSettings("anthropic:claude-sonnet-4-5")).prices == (3.0, 15.0)
    assert ChatModel(ChatSettings("openai:gpt-4o-mini", price_in=1.0, price_out=2.0)).prices == (1.0, 2.0)
    assert ChatModel(ChatSettings("gpt-4o-mini", "http://localhost:8000/v1")).prices is None
    assert ChatModel(ChatSettings("openai:no-such-model")).prices is None
    assert ChatModel(ChatSettings("nobody:gpt-4o-mini")).prices is None
    with pytest.raises(InputError, match="price_in and price_out must be given together"):
        ChatModel(ChatSettings("m", price_in=1.0))


async def test_a_process_that_was_held_up_reads_what_has_arrived() -> None:
    with ChatServer(say, latency=0.1) as server:
        model = ChatModel(ChatSettings("fake", server.base_url, timeout=0.4))
        await model.ask(ask(1), "v")
        asked = asyncio.create_task(model.ask(ask(2), "v"))
        await asyncio.sleep(0.05)
        time.sleep(1.0)  # nobody listens for longer than the time-out
        assert await asked == "2."
        assert server.requests == 2
