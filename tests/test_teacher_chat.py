"""The chat teacher against a loopback server, and the reference teacher."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tutelage.agents.chat.parsing import clean
from tutelage.agents.prompts import STYLES, repair_messages, teaching_messages
from tutelage.agents.teachers.chat import ChatTeacher
from tutelage.agents.teachers.reference import ReferenceTeacher
from tutelage.errors import Declined, InputError, RunError
from tutelage.ledger import CallLedger, ledger_scope
from tutelage.plugins import Plugin, build
from tutelage.schema import (
    Problem,
    TeachingRequest,
)
from tutelage.testing.chat_server import ChatServer


def request(question: str = "What is 51 minus 26?", **more: object) -> TeachingRequest:
    return TeachingRequest.model_validate({"problem": Problem(question=question, answer="25"), **more})


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<think>hm\nhm</think>\n1 + 1 = 2.", "1 + 1 = 2."),
        ("a <think>x</think>b<think>y</think> c", "a b c"),
        ("hm, so</think>1 + 1 = 2.", "1 + 1 = 2."),
        ("1 + 1 = 2.<think>and on and on", "1 + 1 = 2."),
        ("```text\n1 + 1 = 2.\n```", "1 + 1 = 2."),
        ("", ""),
    ],
)
def test_thoughts_and_fences_are_taken_out(said: str, kept: str) -> None:
    assert clean(said) == kept


def test_hostile_tags_are_no_work() -> None:
    begun = time.monotonic()
    clean("<think>" * 3000)
    clean("</think>" * 3000 + "<think>")
    assert time.monotonic() - begun < 1


async def test_a_reply_comes_back_clean_and_with_its_cost(tmp_path: Path) -> None:
    server = ChatServer(lambda _: "<think>hm</think>51 - 26 = 25.\nAnswer: 25")
    options = {"model": "fake", "base_url": server.base_url, "price_in": 1e6, "price_out": 2e6}
    with server, CallLedger(tmp_path / "calls.sqlite") as ledger, ledger_scope(cycle=2, agent="chat"):
        teacher = build("teachers", Plugin(name="chat", options=options), ledger=ledger, seed=0)
        assert teacher.name == "chat"
        assert await teacher.teach(request()) == "51 - 26 = 25.\nAnswer: 25"
        cost = ledger.cost(2)
    words = sum(len(message["content"].split()) for message in teaching_messages(request()))
    assert (cost.calls, cost.tokens_in, cost.tokens_out) == (1, words, 7)
    assert cost.usd == words * 1.0 + 7 * 2.0


async def test_a_reply_without_an_answer_is_sent_back_once(tmp_path: Path) -> None:
    asked: list[list[dict[str, str]]] = []

    def reply(messages: list[dict[str, str]]) -> str:
        asked.append(messages)
        return "51 - 26 = 25.\nAnswer: 25" if len(asked) % 3 == 2 else "I think 51 - 26 = 25"

    with ChatServer(reply) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        teacher = ChatTeacher("fake", server.base_url, ledger=ledger)
        assert await teacher.teach(request()) == "51 - 26 = 25.\nAnswer: 25"
        assert await teacher.teach(request()) == "51 - 26 = 25.\nAnswer: 25"
        assert server.requests == 2 and ledger.cost().calls == 2, "the repair turn is not paid twice either"
        assert await teacher.teach(request("What is 51 less 26?")) == "I think 51 - 26 = 25."
        assert server.requests == 4, "there is no second repair turn"
    assert asked[1] == repair_messages(teaching_messages(request()), "I think 51 - 26 = 25")
    assert [message["role"] for message in asked[1]] == ["system", "user", "assistant", "user"]


async def test_a_model_with_structured_output_is_asked_by_a_schema() -> None:
    with ChatServer(lambda _: '{"steps": ["51 - 20 = 31.", "31 - 6 = 25."], "answer": "25"}') as server:
        teacher = ChatTeacher("fake", server.base_url, structured=True)
        assert await teacher.teach(request()) == "51 - 20 = 31.\n31 - 6 = 25.\nAnswer: 25"
        assert server.requests == 1
        sent: Any = server.last_body["response_format"]
        assert set(sent["json_schema"]["schema"]["properties"]) == {"steps", "answer"}


async def test_the_same_request_is_asked_once(tmp_path: Path) -> None:
    with ChatServer() as server:
        for _ in range(2):
            with CallLedger(tmp_path / "calls.sqlite") as ledger:
                teacher = ChatTeacher("fake", server.base_url, ledger=ledger)
                texts = await asyncio.gather(*(teacher.teach(request()) for _ in range(5)))
                assert set(texts) == {"51 - 26 = 25.\nAnswer: 25"}
        assert server.requests == 1
        await ChatTeacher("fake", server.base_url).teach(request())
        assert server.requests == 2 and server.hashes[0] == server.hashes[1]


async def test_every_draft_is_a_call_of_its_own(tmp_path: Path) -> None:
    turn = itertools.count()
    with ChatServer(lambda _: f"Way {next(turn)}.\nAnswer: 25") as server, CallLedger(tmp_path / "calls") as ledger:
        teacher = ChatTeacher("fake", server.base_url, temperature=0.7, ledger=ledger)
        drafts = range(2 * len(STYLES) + 1)
        texts = [await teacher.teach(request(draft=draft)) for draft in drafts]
        assert len(set(texts)) == len(texts) == server.requests
        assert [await teacher.teach(request(draft=draft)) for draft in drafts] == texts
        assert server.requests == len(texts)


@pytest.mark.parametrize("status", [429, 500])
async def test_a_failed_call_is_tried_again(status: int) -> None:
    with ChatServer(fail_first=2, fail_status=status, retry_after=0.05) as server:
        assert "25" in await ChatTeacher("fake", server.base_url).teach(request())
        assert server.requests == 3


async def test_a_failure_is_one_line_with_teacher_model_and_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with ChatServer(fail_first=99, fail_status=400) as server, CallLedger(tmp_path / "calls.sqlite") as ledger:
        teacher = ChatTeacher("openai:fake", server.base_url, "MY_KEY", name="tutor", ledger=ledger)
        with pytest.raises(RunError) as caught:
            await teacher.teach(request())
        assert server.requests == 1, "a wrong request is not tried again"
        assert ledger.cost().calls == 0
    told = str(caught.value)
    assert told.startswith(f"teacher 'tutor' (fake at {server.base_url}): OpenAIInvalidRequestError: ")
    assert "asked to fail" in told and "\n" not in told
    assert "secret" not in told
    assert "sk-very-secret" not in repr(vars(teacher))


async def test_a_refused_prompt_is_declined_and_no_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "to fail")  # as if the provider repeated it
    with ChatServer(fail_first=1, fail_status=413) as server:
        teacher = ChatTeacher("fake", server.base_url)
        with pytest.raises(Declined, match=r"asked \*\*\*"):
            await teacher.teach(request())
        assert "25" in await teacher.teach(request())


async def test_a_server_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as server:
        url = server.base_url
    with pytest.raises(RunError, match=r"teacher 'chat' \(fake at http://127.*\): OpenAIConnectionError"):
        await ChatTeacher("fake", url, retries=0).teach(request())
    with pytest.raises(RunError, match="MY_KEY is not set"):
        await ChatTeacher("fake", url, "MY_KEY").teach(request())


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(latency=1.0) as server, pytest.raises(RunError, match="Timeout"):
        await ChatTeacher("fake", server.base_url, timeout=0.1, retries=0).teach(request())


async def test_calls_at_once_are_bounded() -> None:
    with ChatServer(latency=0.05) as server:
        teacher = ChatTeacher("fake", server.base_url, concurrency=4)
        texts = await asyncio.gather(*(teacher.teach(request(f"What is {i} minus 1?")) for i in range(24)))
        assert len(texts) == server.requests == 24
        assert server.peak == 4


def test_a_teacher_serves_one_event_loop_after_another() -> None:
    with ChatServer() as server:
        teacher = ChatTeacher("fake", server.base_url)
        for _ in range(3):
            assert "25" in asyncio.run(teacher.teach(request()))


async def test_a_closed_teacher_opens_new_connections() -> None:
    with ChatServer() as server:
        teacher = ChatTeacher("fake", server.base_url)
        await teacher.aclose()
        for _ in range(2):
            assert "25" in await teacher.teach(request())
            await teacher.aclose()


async def test_keys_of_other_providers_are_not_sent_to_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-only")
    with ChatServer() as server:
        await ChatTeacher("fake", server.base_url).teach(request())
        assert "sk-for-openai-only" not in json.dumps(server.last_headers)
        monkeypatch.setenv("MY_KEY", "sk-for-this-server")
        await ChatTeacher("fake", server.base_url, "MY_KEY").teach(request())
        assert server.last_headers["authorization"] == "Bearer sk-for-this-server"


def test_check_costs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(models=["org/fake-7b", "tiny:latest"]) as server:
        for known in ("org/fake-7b", "fake-7b", "tiny", "openai:tiny"):
            ChatTeacher(known, server.base_url).check()
        with pytest.raises(InputError, match="does not serve this model; it has 'org/fake-7b'"):
            ChatTeacher("org/fake-70b", server.base_url).check()
        with pytest.raises(InputError, match="environment variable MY_KEY is not set"):
            ChatTeacher("tiny", server.base_url, "MY_KEY").check()
        assert server.requests == 0
    with pytest.raises(InputError, match=r"\(tiny at http://127.*\): cannot be reached: ConnectError"):
        ChatTeacher("tiny", server.base_url).check()


def test_check_of_a_provider_needs_its_package_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    told = r"\(openai:gpt-5-mini\): cannot be set up: .*OPENAI_API_KEY.*; set the variable, or name another"
    with pytest.raises(InputError, match=told):
        ChatTeacher("openai:gpt-5-mini").check()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    ChatTeacher("openai:gpt-5-mini").check()
    with pytest.raises(InputError, match=r"cannot be set up: .*; see the options") as caught:
        ChatTeacher("nobody:no-such-model").check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("needs", "remedy"),
    [("api_key", "set the variable, or name another as api_key_env"), ("region", "see the options")],
)
def test_what_a_provider_lacks_is_found_out_whatever_it_says(
    monkeypatch: pytest.MonkeyPatch, needs: str, remedy: str
) -> None:
    def made(model: str, **options: Any) -> object:
        if needs not in options:
            raise ValueError("bad credentials file, or something else")  # of a provider that nobody has heard of
        return object()

    monkeypatch.setattr("langchain.chat_models.init_chat_model", made)
    with pytest.raises(InputError, match=f"or something else.*; {remedy}$"):
        ChatTeacher("somebody:model").check()


@pytest.mark.parametrize(
    "options",
    [{"model": " "}, {"base_url": "localhost:8000"}, {"concurrency": 0}, {"timeout": 0.0}, {"retries": -1},
     {"max_tokens": 0}, {"price_in": -1.0}],
)  # fmt: skip
def test_settings_that_cannot_work_are_named(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"teacher 'chat': {next(iter(options))}"):
        build("teachers", Plugin(name="chat", options={"model": "m", **options}))


def test_the_reference_is_read_out_with_the_answer() -> None:
    teacher = build("teachers", Plugin(name="reference"))
    problem = Problem(question="q", answer="25", reference="51 - 26 = 25.\n")
    assert teacher.name == "reference"
    assert teacher.teach(TeachingRequest(problem=problem)) == "51 - 26 = 25.\nAnswer: 25"
    whole = problem.model_copy(update={"reference": "51 - 26 = 25.\nAnswer: 25"})
    assert teacher.teach(TeachingRequest(problem=whole)) == whole.reference
    assert teacher.can_teach(problem) and not teacher.can_teach(Problem(question="q", answer="25"))
    with pytest.raises(Declined, match="no reference"):
        ReferenceTeacher().teach(TeachingRequest(problem=Problem(id="p1", question="q", answer="1")))


def test_the_server_runs_alone_and_logs_each_request(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "tutelage.testing.chat_server", "--log", str(log), "--fail-first", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert "25" in asyncio.run(ChatTeacher("fake", url).teach(request()))
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        assert [row["number"] for row in rows] == [1, 2] and rows[0]["hash"] == rows[1]["hash"]
    finally:
        process.kill()
        process.communicate()


def test_a_server_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InputError, match="api_key_env") as caught:
        ChatTeacher("fake", "http://user:sekret@localhost/v1")
    assert "sekret" not in str(caught.value)
