"""The graph for LangGraph Studio: a configuration as input truly runs the loop; a wrong one is told in a line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
import yaml
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import tutelage
from tutelage import jsonl
from tutelage.graphs.cycle import nodes
from tutelage.graphs.studio import StudioInput, build_studio
from tutelage.reviewer import Reviewer
from tutelage.reviews import under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.testing import FakeTeacher, fake_config

ROOT = Path(__file__).parent.parent
SERVER = ROOT / ".venv-studio" / "bin" / "langgraph"
LOOP = {node.__name__ for node in nodes()}


def named_graph() -> Any:
    """Load the graph as LangGraph's server does."""
    name = json.loads((ROOT / "langgraph.json").read_text())["graphs"]["tutelage"]
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


@pytest.fixture
def config(in_folder: Path) -> str:
    (in_folder / "fake.yaml").write_text(yaml.safe_dump(fake_config()))
    return "fake.yaml"


def test_the_graph_has_the_nodes_of_the_loop_and_a_form_for_its_input() -> None:
    graph = named_graph()
    assert set(graph.get_graph().nodes) == {*LOOP, "open", "__start__", "__end__"}
    assert set(graph.get_input_jsonschema()["properties"]) == {"config", "set", "run_dir"}
    assert "run_dir" in graph.get_output_jsonschema()["properties"]


async def test_a_submitted_configuration_is_run_as_the_command_line_would(config: str) -> None:
    stream = named_graph().astream({"config": config, "run_dir": "studio"}, stream_mode=["updates", "custom"])
    told = [(mode, chunk) async for mode, chunk in stream]
    (_, ended) = [chunk for chunk in told if chunk[0] == "updates"][-1]
    assert list(ended) == ["finish"]
    assert {"started", "finished", "diagnosis"} <= {chunk["kind"] for mode, chunk in told if mode == "custom"}
    plain = await tutelage.arun(config, run_dir="plain")
    mine, theirs = tutelage.Result(Path("studio")).summary, plain.summary
    for one in (mine, theirs):
        for cycle in one["cycles"]:
            cycle.pop("seconds")
    assert {**mine, "run": ""} == {**theirs, "run": ""} and mine["status"] == "finished"
    assert sorted(path.name for path in Path("studio/steps").iterdir()) == sorted(
        path.name for path in Path("plain/steps").iterdir()
    )
    assert not RunDir(Path("studio")).locked


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, 'give a configuration as input, such as {"config": "examples/tiny.yaml"}'),
        ({"config": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
        ({"config": "fake.yaml", "set": ["stop.cycels=1"]}, "did you mean 'cycles'?"),
        ({"config": "fake.yaml", "set": ["planner=nobody"]}, "--set planner=nobody: planner: unknown name"),
        ({"config": "fake.yaml", "run_dir": "."}, "exists and is no empty folder"),
    ],
)
async def test_a_wrong_input_is_one_line_and_nothing_is_written(config: str, given: Any, told: str) -> None:
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(RuntimeError) as caught:  # the server shows what a built-in error says
        await named_graph().ainvoke(given)
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(Path.cwd().iterdir()) == before


async def test_who_submits_again_gets_a_new_run(config: str) -> None:
    for name in ("fake", "fake-2"):
        state = await named_graph().ainvoke({"config": config, "set": ["stop.cycles=1"]})
        assert Path(state["run_dir"]) == Path.cwd() / "runs" / name


async def test_a_run_that_failed_is_gone_on_with(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, request: Any) -> str:
        raise ValueError("no connection")

    monkeypatch.setattr(FakeTeacher, "teach", broken)
    with pytest.raises(RuntimeError, match=r"no connection.*; submit \{\"run_dir\": \".*/studio\"\} to go on"):
        await named_graph().ainvoke({"config": config, "run_dir": "studio"})
    assert tutelage.Result(Path("studio")).summary["status"] == "failed"
    monkeypatch.undo()
    os.chdir(Path("studio").absolute().parent)
    await named_graph().ainvoke({"run_dir": "studio"})
    assert tutelage.Result(Path("studio")).summary["status"] == "finished"
    events = [json.loads(line) for line in Path("studio/events.jsonl").read_text().splitlines()]
    assert {event["node"] for event in events if event["kind"] == "skipped"} >= {"baseline", "examine", "plan"}


async def test_a_review_is_waited_for_and_comes_from_the_run_directory(in_folder: Path) -> None:
    (in_folder / "fake.yaml").write_text(yaml.safe_dump(fake_config(review=True, stop={"cycles": 1})))
    graph = build_studio().compile(checkpointer=InMemorySaver())  # as the server has one
    thread: Any = {"configurable": {"thread_id": "1"}}
    waiting = await graph.ainvoke(StudioInput(config="fake.yaml", run_dir="studio"), thread)
    assert waiting["__interrupt__"][0].value == {"cycle": 1, "lessons": 16, "left": 16}
    rundir = RunDir.open(Path("studio"))
    assert jsonl.last(rundir.events) == {
        "kind": "waiting",
        "cycle": 1,
        "lessons": 16,
        "left": 16,
        "time": ANY,
        "schema": 1,
    }
    assert not rundir.locked and tutelage.Result(rundir.path).summary["status"] != "failed"
    reviewed = under_review(rundir)
    assert reviewed
    write_reviews(rundir, 1, [Reviewer("me").accept(one) for one in reviewed.left])
    await graph.ainvoke(Command(resume=True), thread)
    assert tutelage.Result(rundir.path).summary["status"] == "finished"


@pytest.fixture
def server(config: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [SERVER, "dev", "--no-browser", "--no-reload", "--port", str(port), "--config", ROOT / "langgraph.json"]
    with Path("server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                httpx.get(f"{url}/ok", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


NO_SERVER = "LangGraph's server needs older packages than what is pinned; `make install-studio` gives it a place"


@pytest.mark.slow
@pytest.mark.skipif(not SERVER.exists(), reason=NO_SERVER)
def test_the_server_of_the_studio_shows_the_graph_and_runs_it(server: str, in_folder: Path) -> None:
    client = httpx.Client(base_url=server, timeout=120)
    (found,) = client.post("/assistants/search", json={}).json()
    assistant = found["assistant_id"]
    drawn = client.get(f"/assistants/{assistant}/graph").json()["nodes"]
    assert {str(node["id"]) for node in drawn} >= LOOP

    def submit(given: dict[str, Any]) -> Any:
        thread = client.post("/threads", json={}).json()["thread_id"]
        return client.post(f"/threads/{thread}/runs/wait", json={"assistant_id": assistant, "input": given}).json()

    assert submit({})["__error__"] == {
        "error": "RuntimeError",
        "message": 'give a configuration as input, such as {"config": "examples/tiny.yaml"}',
    }
    ended = submit({"config": str(in_folder / "fake.yaml"), "run_dir": str(in_folder / "run")})
    assert ended["loop"]["stop_reason"] == "cycles: 2 done"
    assert tutelage.Result(in_folder / "run").summary["status"] == "finished"
