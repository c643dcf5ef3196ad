"""LangChain's callbacks: they reach the graph and every model call, and know whose it is; a cached call is none."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.langchain import wait_for_all_tracers

import tutelage
from tutelage import InputError
from tutelage.ledger import CallLedger
from tutelage.rundir import RunDir
from tutelage.testing import ASKERS, asking_config, fake_config, reply_to_all
from tutelage.testing.chat_server import ChatServer

Cli = Callable[..., tuple[int, str, str]]


class Recorder(BaseCallbackHandler):
    """Keeps what it is told; from several threads, as handlers are."""

    def __init__(self) -> None:
        self.runs: dict[Any, dict[str, Any]] = {}
        self.parents: dict[Any, Any] = {}
        self.models: dict[Any, dict[str, Any]] = {}
        self.ended: list[Any] = []
        self.cached: list[dict[str, Any]] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any, **kwargs: Any) -> None:
        self.runs[run_id], self.parents[run_id] = kwargs, parent_run_id

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: Any, parent_run_id: Any, **kwargs: Any
    ) -> None:
        self.models[run_id], self.parents[run_id] = kwargs, parent_run_id

    def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.ended.append((run_id, response.generations[0][0].message.usage_metadata))

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.cached.append({"name": name, **data, "metadata": kwargs["metadata"]})


HANDLER = """
from langchain_core.callbacks import BaseCallbackHandler


class Log(BaseCallbackHandler):
    def __init__(self, path: str) -> None:
        self.path = path

    def on_chain_start(self, serialized, inputs, **kwargs) -> None:
        with open(self.path, "a") as file:
            print(kwargs["name"], file=file)
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(reply_to_all) as made:
        yield made


def test_every_model_call_is_told_with_who_asked_and_inside_of_the_run(tmp_path: Path, server: ChatServer) -> None:
    watch = Recorder()
    config = asking_config(server.base_url, stop={"cycles": 1})
    result = tutelage.run(config, run_dir=tmp_path / "mine", callbacks=[watch])
    cost = result.reports[1].cost
    assert cost.calls == server.requests == len(watch.models) == len(watch.ended)
    told = [one["metadata"] for one in watch.models.values()]
    assert {(one["run"], one["cycle"]) for one in told} == {("mine", 1)}
    asked = Counter(one["agent"] for one in told)
    assert set(asked) == set(ASKERS)
    assert asked["tutor"] == 2 * asked["critic"] == 2 * asked["aggregate"] == 32
    taught = {lesson.problem_id for lesson in result.lessons(1)}
    assert {one["problem"] for one in told} == {*taught, ""} and len(taught) == 16
    assert all({"tutelage", one["metadata"]["agent"]} <= set(one["tags"]) for one in watch.models.values())
    assert sum(usage["input_tokens"] for _, usage in watch.ended) == cost.tokens_in
    (root,) = [run for run, parent in watch.parents.items() if parent is None]
    assert watch.runs[root]["name"] == "tutelage mine" and watch.runs[root]["metadata"]["run"] == "mine"
    assert {ancestor(watch.parents, run) for run in watch.models} == {root}
    assert {"teach", "lesson", "draft", "purify", "diagnose"} <= {one["name"] for one in watch.runs.values()}


def ancestor(parents: dict[Any, Any], run: Any) -> Any:
    while parents[run] is not None:
        run = parents[run]
    return run


def test_a_call_that_the_ledger_answers_is_an_event_and_no_model_run(tmp_path: Path, server: ChatServer) -> None:
    config = asking_config(server.base_url, stop={"cycles": 1})
    config["teach"]["shared_calls"] = str(tmp_path / "shared.sqlite")
    first = tutelage.run(config, run_dir=tmp_path / "first")
    asked, watch = server.requests, Recorder()
    again = tutelage.run(config, run_dir=tmp_path / "again", callbacks=[watch])
    assert server.requests == asked and not watch.models
    assert again.reports[1].cost.cached_calls == len(watch.cached) == first.reports[1].cost.calls > 0
    assert {one["name"] for one in watch.cached} == {"cached_call"}
    assert {one["agent"] for one in watch.cached} == set(ASKERS)
    assert all(one["metadata"]["run"] == "again" and one["cycle"] == 1 and one["text"] for one in watch.cached)


def test_a_handler_is_named_in_the_configuration_and_a_resume_asks_for_none_of_those_given(in_folder: Path) -> None:
    (in_folder / "watching.py").write_text(HANDLER)
    config = fake_config(callbacks=[{"name": "watching:Log", "options": {"path": "seen.txt"}}], stop={"cycles": 1})
    tutelage.run(config, run_dir="named")
    seen = Path("seen.txt").read_text().splitlines()
    assert "tutelage named" in seen and "consolidate" in seen
    watch = Recorder()
    tutelage.run(fake_config(stop={"cycles": 1}), run_dir="run", callbacks=[watch])
    Path("run/result.json").unlink()
    tutelage.resume("run")
    assert watch.runs


def test_a_handler_that_is_none_is_refused_before_anything_is_written(tutelage_cli: Cli, in_folder: Path) -> None:
    with pytest.raises(InputError, match=r"callbacks: 'PosixPath' lacks on_chat_model_start, "):
        tutelage.run(fake_config(), run_dir=in_folder / "run", callbacks=[Path()])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"callbacks: 'nowhere\.langchain:Handler' cannot be imported"):
        tutelage.run(fake_config(callbacks="nowhere.langchain:Handler"), run_dir=in_folder / "run")
    assert not (in_folder / "run").exists()


def test_a_handler_that_fails_costs_the_run_nothing(tmp_path: Path) -> None:
    class Broken(Recorder):
        def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            raise ValueError("no room on the dashboard")

    result = tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run", callbacks=[Broken()])
    assert result.reports[1].lessons.taught == 16


INGEST = {
    "use_multipart_endpoint": False,
    "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 1,
    "scale_down_nempty_trigger": 4,
    "size_limit": 100,
    "size_limit_bytes": 20_000_000,
}
"""How LangSmith wants to be sent to; the client's thread ends in silence where one of these is missing."""


class Collector(ThreadingHTTPServer):
    """What LangSmith's client thinks is LangSmith."""

    daemon_threads = True

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(json.dumps({"version": "0.12.0", "batch_ingest_config": INGEST}).encode())

            def do_POST(self) -> None:
                collector.posts.append(self.path)
                collector.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self._send(b"{}")

            do_PATCH = do_POST

            def _send(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def langsmith(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A server in LangSmith's place, and no settings but its address and a key."""
    from langsmith.utils import get_env_var

    with Collector() as made:
        for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://127.0.0.1:{made.server_address[1]}")
        monkeypatch.setenv("LANGSMITH_API_KEY", "a-key-of-nobody")
        get_env_var.cache_clear()
        yield made
        wait_for_all_tracers()
        made.shutdown()
    get_env_var.cache_clear()


@pytest.mark.parametrize("tracing", [None, "false"])
def test_without_its_variable_nothing_goes_to_langsmith(
    tmp_path: Path, server: ChatServer, langsmith: Collector, monkeypatch: pytest.MonkeyPatch, tracing: str | None
) -> None:
    if tracing is not None:
        monkeypatch.setenv("LANGSMITH_TRACING", tracing)
    tutelage.run(asking_config(server.base_url, stop={"cycles": 1}), run_dir=tmp_path / "run")
    wait_for_all_tracers()
    assert langsmith.posts == []


def test_with_its_variable_langsmith_gets_the_run_and_the_key_is_in_no_file(
    tmp_path: Path, server: ChatServer, langsmith: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    result = tutelage.run(asking_config(server.base_url, stop={"cycles": 1}), run_dir=tmp_path / "mine")
    wait_for_all_tracers()
    sent = b"".join(langsmith.bodies)
    assert b"tutelage mine" in sent and b'"agent":"aggregate"' in sent
    files = [file for file in RunDir(result.path).path.rglob("*") if file.is_file()]
    assert not any(b"a-key-of-nobody" in file.read_bytes() for file in files) and len(files) > 10
    with CallLedger(result.path / "calls.sqlite") as ledger:
        assert ledger.cost().calls == server.requests
