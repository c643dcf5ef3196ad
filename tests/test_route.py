"""Routing: a purifier that knows teachers by the question has only one of them asked, also after a crash."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import Declined, TeachingRequest
from tutelage.errors import RunFileError
from tutelage.graphs import cycle as cycle_module
from tutelage.rundir import RunDir
from tutelage.schema import Evidence, Problem, Rationale
from tutelage.seams import Message
from tutelage.testing import FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer
from tutelage.testing.tutor import reply_as_tutor


class Sometimes(FakeTeacher):
    """Right only where the first number is even, or odd."""

    def __init__(self, name: str, parity: int) -> None:
        super().__init__(name)
        self.parity = parity

    def teach(self, request: TeachingRequest) -> str:
        if first_number(request.problem) % 2 == self.parity:
            return super().teach(request)
        self.asked.append(request)
        return "It is hard to say. Answer: -1"


def first_number(problem: Problem) -> int:
    return int(problem.question.split()[2])


class Parity:
    """Learns from evidence which teacher is right on which parity."""

    def __init__(self) -> None:
        self.right: dict[str, dict[str, int]] = {}
        self.fitted: list[int] = []
        self.loaded = 0

    def fit(self, evidence: Sequence[Evidence]) -> None:
        self.fitted.append(len(evidence))
        for one in evidence:
            counts = self.right.setdefault(one.teacher, {})
            key = str(first_number(one.problem) % 2)
            counts[key] = counts.get(key, 0) + one.verified

    def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        if not self.right:
            return {}
        keys = {problem.id: str(first_number(problem) % 2) for problem in problems}
        return {id_: {name: float(self.right[name].get(key, 0)) for name in teachers} for id_, key in keys.items()}

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        return rationales[0]

    def save(self, folder: Path) -> None:
        (folder / "parity.json").write_text(json.dumps(self.right))

    def load(self, folder: Path) -> None:
        self.loaded += 1
        self.right = json.loads((folder / "parity.json").read_text())


def teachers() -> list[Sometimes]:
    return [Sometimes("even", 0), Sometimes("odd", 1)]


def config(**changes: Any) -> dict[str, Any]:
    plan = {"lessons": 16, "explore": 0.0, **changes.pop("plan", {})}
    return {**fake_config(stop={"cycles": 2, "patience": None}), "teach": {"max_revisions": 0}, "plan": plan, **changes}


def test_after_a_cycle_that_asks_all_only_the_right_one_is_asked(tmp_path: Path) -> None:
    some, purifier = teachers(), Parity()
    result = tutelage.run(config(), teachers=some, purifier=purifier, run_dir=tmp_path / "run")
    asked = Counter((request.cycle, one.name) for one in some for request in one.asked)
    assert asked[1, "even"] == asked[1, "odd"] == 16 and asked[2, "even"] + asked[2, "odd"] == 16
    assert len(result.lessons(1)) == len(result.lessons(2)) == 16
    for assignment in RunDir(result.path).plan(2).assignments:  # type: ignore[union-attr]
        (teacher,) = assignment.teachers
        assert assignment.scores[teacher] == max(assignment.scores.values()) > min(assignment.scores.values())
    assert purifier.fitted == [0, 32]
    notes = [r["text"] for r in map(json.loads, RunDir(result.path).events.read_text().splitlines()) if "text" in r]
    assert any("nothing to route; all teachers are asked" in text for text in notes)
    assert any("one teacher is asked for 16 problems (even " in text for text in notes)


def test_the_ledger_shows_the_calls_that_are_saved(tmp_path: Path) -> None:
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
        result = tutelage.run(config(teachers=asked), purifier=Parity(), run_dir=tmp_path / "run")
    calls = [report.cost.calls + report.cost.cached_calls for report in result.reports]
    assert calls == [0, 32, 16]


def test_a_share_of_the_problems_keeps_all_its_teachers(tmp_path: Path) -> None:
    result = tutelage.run(
        config(plan={"explore": 0.5}), teachers=teachers(), purifier=Parity(), run_dir=tmp_path / "run"
    )
    counts = Counter(len(one.teachers) for one in RunDir(result.path).plan(2).assignments)  # type: ignore[union-attr]
    assert counts[1] and counts[2] and counts.total() == 16


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
    assert purifier.fitted == [] and purifier.loaded >= 1 and purifier.right
    assert sum(len(one.asked) for one in again) == 16
    assert not list((path / "routers").glob("*.partial"))


class Unwilling(Sometimes):
    """Has nothing to say, or nothing at all, or fails, where another would be wrong."""

    def __init__(self, name: str, parity: int, ends: Any) -> None:
        super().__init__(name, parity)
        self.ends = ends

    def teach(self, request: TeachingRequest) -> str:
        if first_number(request.problem) % 2 == self.parity:
            return super().teach(request)
        self.asked.append(request)
        if isinstance(self.ends, Exception):
            raise self.ends
        return str(self.ends)


class Knowing(Unwilling):
    """Says beforehand what it declines."""

    def can_teach(self, problem: Problem) -> bool:
        return first_number(problem) % 2 == self.parity


class Partial(Parity):
    """Prefers one teacher for everything, and keeps what it is fitted on."""

    def __init__(self, preferred: str) -> None:
        super().__init__()
        self.preferred, self.seen = preferred, list[Evidence]()

    def fit(self, evidence: Sequence[Evidence]) -> None:
        super().fit(evidence)
        self.seen = list(evidence)

    def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        return {one.id: {name: float(name == self.preferred) for name in teachers} for one in problems if self.right}


@pytest.mark.parametrize(("ends", "labelled"), [(Declined("no"), True), ("", True), (ValueError("x"), False)])
def test_who_declines_is_no_good_at_it_and_who_fails_may_be(tmp_path: Path, ends: Any, labelled: bool) -> None:
    some, purifier = [Unwilling("odd", 1, ends), Sometimes("even", 0)], Partial("even")
    settings = {"max_revisions": 0, "bench_after": 99}
    tutelage.run(config(teach=settings), teachers=some, purifier=purifier, run_dir=tmp_path / "run")
    unwilling = [one for one in some[0].asked if one.cycle == 1 and not first_number(one.problem) % 2]
    of = [one for one in purifier.seen if one.teacher == "odd" and not first_number(one.problem) % 2]
    assert len(of) == (len(unwilling) if labelled else 0) and unwilling
    assert not any(one.verified or one.text for one in of)


def test_who_says_that_it_cannot_teach_a_problem_is_not_asked(tmp_path: Path) -> None:
    some = [Sometimes("even", 0), Knowing("odd", 1, Declined("not my kind"))]
    result = tutelage.run(config(), teachers=some, purifier=Partial("odd"), run_dir=tmp_path / "run")
    assert {first_number(request.problem) % 2 for request in some[1].asked if request.cycle == 2} == {1}
    assert len(result.lessons(2)) == 16


@pytest.mark.parametrize("ends", [Declined("not my kind"), "", ValueError("x")])
def test_where_the_one_that_is_asked_has_no_text_the_next_best_is_asked(tmp_path: Path, ends: Any) -> None:
    class Ranked(Partial):
        def route(self, problems: Sequence[Problem], teachers: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
            return {one.id: {"wrong": 0.1, "odd": 0.9, "both": 0.5} for one in problems} if self.right else {}

    some = [Sometimes("wrong", 2), Unwilling("odd", 1, ends), FakeTeacher("both")]
    settings = {"max_revisions": 0, "bench_after": 99}
    result = tutelage.run(config(teach=settings), teachers=some, purifier=Ranked("odd"), run_dir=tmp_path / "run")
    asked = {one.name: [r.problem.id for r in one.asked if r.cycle == 2] for one in some}
    silent = {id_ for r in some[1].asked if first_number(r.problem) % 2 == 0 for id_ in [r.problem.id]}
    assert len(asked["odd"]) == 16 and set(asked["both"]) == silent & set(asked["odd"]) and not asked["wrong"]
    assert len(asked["both"]) == len(set(asked["both"])) and len(result.lessons(2)) == 16


def test_a_wrong_text_is_a_text_and_nobody_stands_in(tmp_path: Path) -> None:
    some = teachers()
    tutelage.run(config(), teachers=some, purifier=Partial("odd"), run_dir=tmp_path / "run")
    assert [len([r for r in one.asked if r.cycle == 2]) for one in some] == [0, 16]


def test_a_resumed_run_asks_the_next_best_where_the_first_had_declined(tmp_path: Path) -> None:
    path, some = tmp_path / "run", [Unwilling("odd", 1, Declined("not my kind")), Sometimes("even", 0)]
    settings = {"max_revisions": 0, "concurrency": 1}

    def spend(request: TeachingRequest) -> str:
        if request.cycle == 2:
            raise RunFileError("the disk is full")
        return Sometimes.teach(some[1], request)

    some[1].teach = spend  # type: ignore[method-assign]
    with pytest.raises(tutelage.RunError, match="the disk is full"):
        tutelage.run(config(teach=settings), teachers=some, purifier=Partial("odd"), run_dir=path)
    declined = [one for one in RunDir(path).rationales(2) if one.rejected == "declined"]
    assert declined
    again = [Unwilling("odd", 1, Declined("not my kind")), Sometimes("even", 0)]
    result = tutelage.resume(path, teachers=again, purifier=Partial("odd"))
    assert len(result.lessons(2)) == 16
    assert declined[0].problem_id in {r.problem.id for r in again[1].asked}
    assert declined[0].problem_id not in {r.problem.id for r in again[0].asked}


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


@pytest.mark.parametrize("where", ["fit", "save", "route"])
def test_one_that_fails_is_one_line(tmp_path: Path, where: str) -> None:
    with pytest.raises(tutelage.RunError, match=r"purifier: fail: KeyError\('nothing there'\); mend the plug-in"):
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
