"""Structured output: a schema is sent to a model that keeps to one, and the reply comes back as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tutelage.agents.chat.model import ChatModel
from tutelage.agents.chat.settings import ChatSettings
from tutelage.ledger import CallLedger
from tutelage.seams import Message
from tutelage.testing.chat_server import ChatServer


class Solution(BaseModel):
    steps: list[str]
    answer: str


ASKED: list[Message] = [{"role": "user", "content": "Say 0."}]


def in_json(_: list[Message]) -> str:
    return json.dumps({"steps": ["1 + 1 = 2."], "answer": "2"})


async def test_a_schema_is_sent_and_the_reply_comes_back_raw(tmp_path: Path) -> None:
    with ChatServer(in_json) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        plain = ChatModel(ChatSettings("fake", server.base_url), ledger=ledger)
        model = ChatModel(ChatSettings("fake", server.base_url), ledger=ledger, structured=True)
        assert (plain.structured, model.structured) == (False, True)
        assert await plain.ask(ASKED, "v", Solution) == await plain.ask(ASKED, "v")
        assert server.requests == 1, "without the means, a schema changes nothing"
        text = await model.ask(ASKED, "v", Solution)
        assert Solution.model_validate_json(text).answer == "2"
        assert await model.ask(ASKED, "v", Solution) == text
        assert server.requests == 2 and ledger.cost().calls == 2
        sent: Any = server.last_body["response_format"]
        assert sent["json_schema"]["name"] == "Solution"
        assert (ledger.cost().tokens_in, ledger.cost().tokens_out) == (4, 16)


async def test_json_that_was_cut_off_is_paid_for_once(tmp_path: Path) -> None:
    with ChatServer(in_json) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        model = ChatModel(ChatSettings("fake", server.base_url, max_tokens=3), ledger=ledger, structured=True)
        for _ in range(2):
            assert await model.ask(ASKED, "v", Solution) == '{"steps": ["1 +'
        assert server.requests == 1
        assert (ledger.cost().tokens_in, ledger.cost().tokens_out) == (2, 3)


async def test_a_reply_that_is_not_of_the_schema_comes_back_too() -> None:
    with ChatServer(lambda _: "I would rather not.") as server:
        model = ChatModel(ChatSettings("fake", server.base_url), structured=True)
        assert await model.ask(ASKED, "v", Solution) == "I would rather not."
        assert server.requests == 1


def test_which_models_keep_to_a_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    assert ChatModel(ChatSettings("openai:gpt-4o-mini")).structured
    assert not ChatModel(ChatSettings("openai:gpt-3.5-turbo")).structured
    assert not ChatModel(ChatSettings("openai:gpt-4o-mini"), structured=False).structured
    assert not ChatModel(ChatSettings("openai:gpt-4o-mini", "http://localhost:1/v1")).structured
