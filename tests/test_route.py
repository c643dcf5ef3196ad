"""Routing: a purifier that knows teachers by the question has only one of them asked, also after a crash."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage.graphs import cycle as cycle_module
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.seams import Message
from tutelage.testing import fake_config
from tutelage.testing.chat_server import ChatServer
from tutelage.testing.parity import Parity, Sometimes
from tutelage.testing.tutor import reply_as_tutor


def teachers() -> list[Sometimes]:
    return [Sometimes("even", 0), Sometimes("odd", 1)]


def config(**changes: Any) -> dict[str, Any]:
    plan = {"lessons": 16, "explore": 0.0, **changes.pop("plan", {})}
    return {**fake_config(stop={"cycles": 2, "patience": None}), "teach": {"max_revisions": 0}, "plan": plan, **changes}


def notes(result: tutelage.Result) -> list[str]:
    return [event["text"] for event in read(RunDir(result.path).events) if event["kind"] == "note"]


def test_after_a_cycle_that_asks_all_only_the_right_one_is_asked(tmp_path: Path) -> None:
    some, purifier = teachers(), Parity()
    result = tutelage.run(config(), teachers=some, purifier=purifier, run_dir=tmp_path / "run")
    asked = Counter((request.cycle, one.name) for one in some for request in one.asked)
    assert asked[1, "even"] == asked[1, "odd"] == 16 and asked[2, "even"] + asked[2, "odd"] == 16
    assert len(result.lessons(1)) == len(result.lessons(2)) == 16
    for assignment in RunDir(result.path).plan(2).assignments:  # type: ignore[union-attr]
        (teacher,) = assignment.teachers
        assert assignment.scores[teacher] == max(assignment.scores.values()) > min(assignment.scores.values())
    assert purifier.fitted == [0, 32] and purifier.loaded == 0
    assert any("nothing to route; all teachers are asked" in text for text in notes(result))
    assert any("purifier Parity: 16 of 32 calls saved (even " in text for text in notes(result))


@pytest.mark.parametrize("router", [None, {"name": "classifier", "options": {"least": 8}}])
def test_the_ledger_shows_the_calls_that_are_saved(router: dict[str, Any] | None, tmp_path: Path) -> None:
    def reply(parity: int) -> Callable[[list[Message]], str]:
        def answer(messages: list[Message]) -> str:
            question = re.findall(r"<question>\n(.*?)\n", messages[-1]["content"])[-1]
            right = int(question.split()[2]) % 2 == parity
            return reply_as_tutor(messages) if right else "It is hard to say.\nAnswer: -1"

        return answer

    with ChatServer(reply(0)) as even, ChatServer(reply(1)) as odd:
        options = {"model": "fake", "structured": False, "price_in": 0, "price_out": 0}
        asked = [
            {"name": "chat", "options": {**options, "name": name, "base_url": server.base_url}}
            for name, server in (("even", even), ("odd", odd))
        ]
        given = {"purifier": Parity()} if router is None else {}
        changes = {"purifier": router} if router else {}
        result = tutelage.run(config(teachers=asked, **changes), run_dir=tmp_path / "run", **given)
    calls = [report.cost.calls + report.cost.cached_calls for report in result.reports]
    assert calls == [0, 32, 16]


def test_a_share_of_the_problems_keeps_all_its_teachers(tmp_path: Path) -> None:
    result = tutelage.run(config(plan={"explore": 0.5}), teachers=teachers(), purifier=Parity(), run_dir=tmp_path / "a")
    counts = Counter(len(one.teachers) for one in RunDir(result.path).plan(2).assignments)  # type: ignore[union-attr]
    assert counts[1] and counts[2] and counts.total() == 16
    assert any(f" {counts[1]} of 32 calls saved" in text for text in notes(result))
    result = tutelage.run(config(plan={"explore": 1.0}), teachers=teachers(), purifier=Parity(), run_dir=tmp_path / "b")
    assert any("every problem is kept to explore (plan.explore); all teachers are" in text for text in notes(result))


def test_a_resumed_run_goes_on_with_what_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, path = cycle_module.teach, tmp_path / "run"

    async def crash(state: Any, runtime: Any) -> Any:
        if state["cycle"] == 2:
            raise OSError("the lights went out")
        return await original(state, runtime)

    crash.__name__ = "teach"
    monkeypatch.setattr(cycle_module, "teach", crash)
    with pytest.raises(tutelage.RunError):
        tutelage.run(config(), teachers=teachers(), purifier=Parity(), run_dir=path)
    monkeypatch.setattr(cycle_module, "teach", original)
    again, purifier = teachers(), Parity()
    tutelage.resume(path, teachers=again, purifier=purifier)
    assert purifier.fitted == [] and purifier.loaded == 1 and purifier.right
    assert sum(len(one.asked) for one in again) == 16
    assert not list((path / "routers").glob("*.partial"))


class Broken(Parity):
    """Fails where it is told to."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "__dict__").get("where"):

            def fail(*_: Any) -> None:
                raise KeyError("nothing there")

            return fail
        return super().__getattribute__(name)


@pytest.mark.parametrize("where", ["meet", "fit", "save", "route", "score"])
def test_one_that_fails_is_one_line(tmp_path: Path, where: str) -> None:
    with pytest.raises(
        tutelage.RunError, match=rf"^purifier Broken: {where}: KeyError\('nothing there'\); mend the plug-in$"
    ):
        tutelage.run(config(), teachers=teachers(), purifier=Broken(where), run_dir=tmp_path / "run")


def test_a_built_in_router_learns_from_the_loop_and_says_when_it_cannot_yet(tmp_path: Path) -> None:
    purifier = {"name": "classifier", "options": {"encoder": "static", "least": 16}}
    result = tutelage.run(config(purifier=purifier), teachers=teachers(), run_dir=tmp_path / "run")
    rundir = RunDir(result.path)
    assert {d.fallback for d in rundir.decisions(1)} == {"not ready: 0 questions that tell teachers apart, 16 needed"}
    assert {d.fallback for d in rundir.decisions(2)} == {None}
    assert all(len(one.teachers) == 1 and len(one.scores) == 2 for one in rundir.plan(2).assignments)  # type: ignore[union-attr]
    files = {path.name for path in (rundir.path / "routers" / "cycle-002").iterdir()}
    assert files == {"router.json", "router.safetensors"}
    taught = result.lessons(2)[0].problem_id
    plans = [event for event in result.trace(taught)["events"] if event["kind"] == "plan" and event["cycle"] == 2]
    assert len(plans[0]["teachers"]) == 1 and set(plans[0]["scores"]) == {"even", "odd"}
