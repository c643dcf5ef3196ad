"""The Studio with a run that is there already: what it goes on with, and what it says that it does not do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import tutelage
from tutelage import jsonl
from tutelage.graphs.studio import _held, build_studio
from tutelage.rundir import RunDir
from tutelage.testing import FakeTeacher, asking_config, fake_config, reply_to_all
from tutelage.testing.chat_server import ChatServer

WATCHING = """
from langchain_core.callbacks import BaseCallbackHandler


class Log(BaseCallbackHandler):
    def on_chain_start(self, serialized, inputs, **kwargs):
        self.note("node", kwargs["name"], kwargs["metadata"]["run"])

    def on_chat_model_start(self, serialized, messages, **kwargs):
        self.note("model", kwargs["metadata"]["agent"], kwargs["metadata"]["run"])

    def note(self, *words):
        with open("seen.txt", "a") as file:
            print(*words, file=file)
"""


async def submitted(**given: Any) -> Any:
    return await build_studio().compile().ainvoke(given)


def everything(path: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


async def failed(path: Path, **parts: Any) -> RunDir:
    """Return a run whose teacher went away."""
    with pytest.raises(tutelage.RunError, match="no credit"):
        await tutelage.arun(fake_config(**parts), teachers=[FakeTeacher(fails="no credit")], run_dir=path)
    return RunDir(path)


async def test_a_run_that_was_begun_with_objects_is_not_gone_on_with(tmp_path: Path) -> None:
    rundir = await failed(tmp_path / "run")
    before = everything(rundir.path)
    with pytest.raises(RuntimeError, match=r"was begun with these objects: teachers=\['fake'\]; resume it from Python"):
        await submitted(run_dir=str(rundir.path))
    assert everything(rundir.path) == before


@pytest.mark.parametrize("given", [{"set": ["stop.cycles=1"]}, {"config": "nowhere.yaml"}, {"set": ["nonsense=1"]}])
async def test_what_a_run_has_already_is_not_ignored_in_silence(tmp_path: Path, given: Any) -> None:
    path = tmp_path / "run"
    await tutelage.arun(fake_config(review=True), run_dir=path)
    before = everything(path)
    with pytest.raises(RuntimeError, match="holds a run, which has its configuration; leave `config` and `set` out"):
        await submitted(run_dir=str(path), **given)
    assert everything(path) == before


async def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run"
    await tutelage.arun(fake_config(stop={"cycles": 1}), teachers=[FakeTeacher()], run_dir=path)
    before = everything(path)
    assert (await submitted(run_dir=str(path)))["run_dir"] == str(path)
    assert everything(path) == before


async def test_a_thread_does_not_remember_the_configuration(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (in_folder / "fake.yaml").write_text(yaml.safe_dump(fake_config()))
    graph, thread = build_studio().compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "1"}}

    def broken(self: Any, request: Any) -> str:
        raise ValueError("no connection")

    async def submit(given: dict[str, Any]) -> Any:
        return await graph.ainvoke(given, thread)  # type: ignore[arg-type, call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(FakeTeacher, "teach", broken)
        with pytest.raises(RuntimeError, match="no connection"):
            await submit({"config": "fake.yaml", "set": ["stop.cycles=1"], "run_dir": "run"})
    with pytest.raises(RuntimeError, match="holds a run"):
        await submit({"config": "fake.yaml", "run_dir": "run"})
    await submit({"run_dir": "run"})  # as the failure said
    assert tutelage.Result(Path("run")).summary["status"] == "finished"
    done = [(row["node"], row["cycle"]) for row in jsonl.read(Path("run/events.jsonl")) if row["kind"] == "finished"]
    assert len(done) == len(set(done))  # what was done before the failure is not done again


async def test_a_run_that_is_to_be_tracked_is_refused(in_folder: Path) -> None:
    config = fake_config(track={"mlflow": {"store": f"sqlite:///{in_folder}/mlflow.db"}}, stop={"cycles": 1})
    (in_folder / "fake.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(RuntimeError, match=r'track\.mlflow: .*; submit "set": \["track\.mlflow=null"\] too'):
        await submitted(config="fake.yaml", run_dir="run")
    assert not Path("run").exists()
    await submitted(config="fake.yaml", run_dir="run", set=["track.mlflow=null"])
    assert tutelage.Result(Path("run")).summary["status"] == "finished"
    Path("run/result.json").unlink()
    Path("run/config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(RuntimeError, match=r"track\.mlflow: .*; go on with `tutelage resume run`"):
        await submitted(run_dir="run")


async def test_the_handlers_of_a_configuration_are_told_of_nodes_and_model_calls(in_folder: Path) -> None:
    (in_folder / "studio_watching.py").write_text(WATCHING)
    with ChatServer(reply_to_all) as server:
        config = asking_config(server.base_url, stop={"cycles": 1}, callbacks=["studio_watching:Log"])
        (in_folder / "fake.yaml").write_text(yaml.safe_dump(config))
        await submitted(config="fake.yaml", run_dir="run")
    seen = Counter(tuple(line.split()) for line in Path("seen.txt").read_text().splitlines())
    nodes = {name for kind, name, run in seen if kind == "node" and run == "run"}
    assert {"baseline", "teach", "lesson", "draft", "consolidate", "finish"} <= nodes
    assert seen["node", "teach", "run"] == 1
    calls = sum(number for (kind, _, run), number in seen.items() if kind == "model" and run == "run")
    assert calls == server.requests > 0
    assert calls == tutelage.Result(Path("run")).reports[1].cost.calls


async def test_a_review_is_waited_for_where_handlers_watch(in_folder: Path) -> None:
    (in_folder / "studio_watching.py").write_text(WATCHING)
    config = fake_config(review=True, callbacks=["studio_watching:Log"], stop={"cycles": 1})
    (in_folder / "fake.yaml").write_text(yaml.safe_dump(config))
    graph, thread = build_studio().compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "1"}}
    given: Any = {"config": "fake.yaml", "run_dir": "run"}
    waits = await graph.ainvoke(given, thread)  # type: ignore[call-overload]
    assert waits["__interrupt__"][0].value == {"cycle": 1, "lessons": 16, "left": 16}
    assert tutelage.Result(Path("run")).summary["status"] == "waiting for review"


async def waiting(path: Path) -> tuple[Any, Any]:
    """Return the Studio's graph and thread of a run that waits for a review."""
    graph, thread = build_studio().compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "1"}}
    Path("fake.yaml").write_text(yaml.safe_dump(fake_config(review=True, stop={"cycles": 1})))
    await graph.ainvoke({"config": "fake.yaml", "run_dir": str(path)}, thread)  # type: ignore[call-overload]
    return graph, thread


async def test_a_run_that_was_finished_elsewhere_meanwhile_is_left_as_it_is(in_folder: Path) -> None:
    graph, thread = await waiting(Path("run"))
    await tutelage.aresume("run", accept_rest="ann")
    before = everything(Path("run"))
    with pytest.raises(RuntimeError, match=r"has been finished elsewhere meanwhile, .*; submit .* to go on"):
        await graph.ainvoke(Command(resume=[]), thread)
    assert everything(Path("run")) == before
    await graph.ainvoke({"run_dir": "run"}, thread)
    assert everything(Path("run")) == before


async def test_a_configuration_is_read_once_nobody_else_can_change_it(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await failed(Path("run"))
    other = Path("run/config.yaml").read_text().replace("cycles: 2", "cycles: 1")
    lock = RunDir.lock

    def late(self: RunDir, *given: float) -> None:
        self.config.write_text(other)
        lock(self, *given)

    monkeypatch.setattr(RunDir, "lock", late)
    async with _held("run", print, "") as (context, _):
        assert context.config.stop.cycles == 1
