"""Custom teachers, sound and broken: each broken one gives one clear line; none ends a run where another goes on."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage import Rationale, RunError, TeachingRequest
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.testing import FakeTeacher, fake_config

LESSONS = 16


class Broken:
    """A teacher whose lesson is what `act` makes of the request."""

    def __init__(self, act: Callable[[Any], Any], name: str = "broken") -> None:
        self.name, self.act, self.asked = name, act, 0

    def teach(self, request: TeachingRequest) -> Any:
        self.asked += 1
        return self.act(request)


class WrongSignature:
    name = "broken"

    def teach(self, request: Any, style: str) -> str:
        raise AssertionError("cannot be reached")


class Async(Broken):
    async def teach(self, request: TeachingRequest) -> Any:
        return await self.act(request)


class Unpicklable(Broken):
    def __init__(self) -> None:
        super().__init__(lambda request: right(request))
        self.lock, self.generator = threading.Lock(), (n for n in range(3))


def right(request: TeachingRequest) -> str:
    return FakeTeacher().teach(request)


def raises(error: BaseException) -> Callable[[Any], Any]:
    def act(request: Any) -> Any:
        raise error

    return act


def stubborn_sleep(request: Any) -> Any:
    async def sleep() -> str:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    return sleep()


def blocking(request: Any) -> Any:
    async def block() -> None:
        time.sleep(60)

    return block()


async def in_a_thread(request: Any) -> Any:
    return await asyncio.to_thread(time.sleep, 60)


def tamper(request: TeachingRequest) -> str:
    text = right(request)
    request.problem.metadata["note"] = "mine"
    object.__setattr__(request.problem, "answer", "0")
    return text


FLOOD = "1 + 1 = 2. " * 20_000_000
"""220 megabytes, made once."""

FAILING: dict[str, tuple[Callable[[], Any], str]] = {
    "wrong signature": (WrongSignature, "has a teach that does not take one request: .*'style'"),
    "wrong type": (lambda: Broken(lambda r: 7), "teach returned int; return a string or a Rationale"),
    "raises": (lambda: Broken(raises(ValueError("no\ncredit"))), r"failed on problem \w+: ValueError\('no.*credit'\)"),
    "exits": (lambda: Broken(raises(SystemExit(3))), r"failed on problem \w+: SystemExit\(3\)"),
    "interrupts": (lambda: Broken(raises(KeyboardInterrupt())), r"failed on problem \w+: KeyboardInterrupt\(\)"),
    "stops iterating": (lambda: Broken(raises(StopIteration())), r"failed on problem \w+: StopIteration\(\)"),
    "cancels": (lambda: Broken(raises(asyncio.CancelledError())), r"failed on problem \w+: CancelledError\(\)"),
    "hangs": (lambda: Broken(lambda r: time.sleep(60)), "did not answer within 0.5 seconds; raise teach.timeout"),
    "hangs and is async": (lambda: Async(lambda r: asyncio.sleep(60)), "did not answer within 0.5 seconds"),
    "hangs and swallows": (lambda: Async(stubborn_sleep), "did not answer within 0.5 seconds"),
    "hangs and blocks": (lambda: Async(blocking), "did not answer within 0.5 seconds"),
    "hangs in a thread": (lambda: Async(in_a_thread), "did not answer within 0.5 seconds"),
    "returns nothing": (lambda: Broken(lambda r: None), "returned nothing; return the worked solution, or raise"),
    "returns blanks": (lambda: Broken(lambda r: " \n"), "returned nothing; return the worked solution, or raise"),
    "never ends": (lambda: Broken(lambda r: itertools.repeat("x")), "teach returned repeat; return a string"),
    "raises a flood": (lambda: Broken(raises(ValueError(FLOOD))), r"failed on problem \w+: ValueError"),
    "rationale of nothing": (lambda: Broken(lambda r: Rationale.model_construct(text=None)), "returned nothing"),
}
"""Those that do not do their part, and what is said of them."""

TURNED_AWAY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "the answer only": (lambda r: f"Answer: {r.problem.answer}", "no step"),
    "another problem's answer": (lambda r: "1 + 1 = 2. Answer: 2", "wrong answer"),
    "a flood": (lambda r: FLOOD, "too long"),
    "a flood in a rationale": (lambda r: Rationale(text=FLOOD, scores={FLOOD: 1.0}, teacher=FLOOD), "too long"),
}
"""Those that answer, but not with what can be taught, and the reason that is counted."""


@pytest.fixture(autouse=True)
def left_behind_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for coroutines that will not end."""
    monkeypatch.setattr("tutelage.daemon._CLOSING_SECONDS", 0.2)


def config(name: str = "", patience: float = 2.0, **overrides: Any) -> dict[str, Any]:
    """One cycle; beside one that hangs two seconds are much for the others even on a busy machine."""
    teach = {"timeout": patience if "hangs" in name else 60.0, "concurrency": 32, "max_revisions": 0}
    return fake_config(**{"stop": {"cycles": 1}, "teach": teach, **overrides})


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in read(RunDir(path).events) if event["kind"] == kind]


@pytest.mark.parametrize("name", FAILING)
def test_alone_it_ends_the_run_in_one_line_and_a_resume_asks_again(tmp_path: Path, name: str) -> None:
    make, told = FAILING[name]
    path = tmp_path / "run"
    with pytest.raises(RunError, match=rf"^teacher 'broken' {told}.*; nobody is left to teach$") as caught:
        tutelage.run(config(name, patience=0.5), teachers=[make()], run_dir=path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700
    assert all(file.stat().st_size < 1_000_000 for file in path.rglob("*") if file.is_file())
    assert tutelage.Result(path).summary["status"] == "failed"
    assert tutelage.Result(path).summary["failure"] == str(caught.value)
    sound = Broken(right)
    result = tutelage.resume(path, teachers=[sound], overrides=["teach.timeout=60"])
    assert (result.reports[1].lessons.taught, result.reports[1].lessons.rejected) == (LESSONS, {})
    assert sound.asked == LESSONS


@pytest.mark.parametrize("name", FAILING)
def test_beside_a_good_teacher_it_is_benched_and_the_run_goes_on(tmp_path: Path, name: str) -> None:
    make, _ = FAILING[name]
    path = tmp_path / "run"
    result = tutelage.run(config(name), teachers=[make(), FakeTeacher("good")], run_dir=path)
    assert result.summary["status"] == "finished"
    assert {lesson.origin for lesson in result.lessons(1)} == {"good"}
    assert len(result.lessons(1)) == LESSONS
    (benched,) = events(path, "benched")
    assert benched["text"].startswith("teacher 'broken' benched after ")
    (count,) = result.reports[1].lessons.rejected.values()
    assert count == len(events(path, "teacher_failed")) >= 1
    assert all(len(line) < 20_000 for line in (path / "rationales" / "cycle-001.jsonl").read_text().splitlines())


@pytest.mark.parametrize("name", TURNED_AWAY)
def test_what_cannot_be_taught_is_counted_and_said_of_the_teacher(tmp_path: Path, name: str) -> None:
    act, reason = TURNED_AWAY[name]
    alone = tutelage.run(config(), teachers=[Broken(act)], run_dir=tmp_path / "alone")
    assert alone.reports[1].lessons.rejected == {reason: LESSONS}
    (note,) = events(alone.path, "note")
    assert note["text"].startswith("teacher 'broken': nothing that it wrote in this cycle can be taught")
    assert f"({reason} {LESSONS})" in note["text"]
    beside = tutelage.run(config(), teachers=[Broken(act), FakeTeacher("good")], run_dir=tmp_path / "beside")
    assert (beside.reports[1].lessons.taught, beside.reports[1].lessons.rejected) == (LESSONS, {reason: LESSONS})
    lines = (beside.path / "rationales" / "cycle-001.jsonl").read_text().splitlines()
    assert all(len(line) < 20_000 for line in lines)


def test_a_flood_is_cut_without_being_copied(tmp_path: Path) -> None:
    import tracemalloc

    assert len(FLOOD) > 200_000_000
    tracemalloc.start()
    tutelage.run(config(), teachers=[Broken(TURNED_AWAY["a flood"][0])], run_dir=tmp_path / "run")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
    assert sum(path.stat().st_size for path in (tmp_path / "run").rglob("*.json*")) < 2_000_000


def test_a_request_is_the_teacher_s_own_copy(tmp_path: Path) -> None:
    good = FakeTeacher("good")
    result = tutelage.run(config(), teachers=[Broken(tamper), good], run_dir=tmp_path / "run")
    assert result.reports[1].lessons.rejected == {}
    (note,) = events(result.path, "note")
    assert note["text"].startswith("teacher 'broken' changes its request")
    assert not any(request.problem.metadata.get("note") for request in good.asked)
    assert all(request.problem.answer != "0" for request in good.asked)


def test_nothing_is_pickled(tmp_path: Path) -> None:
    result = tutelage.run(config(), teachers=[Unpicklable()], run_dir=tmp_path / "run")
    assert (result.reports[1].lessons.taught, events(result.path, "note")) == (LESSONS, [])


async def soon(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


SOUND: dict[str, Any] = {
    "a string": Broken(right),
    "a rationale": Broken(lambda r: Rationale(text=right(r), scores={"sure": 0.5, "odd": float("nan")})),
    "a string, async": Async(lambda r: soon(right(r))),
    "a rationale, async": Async(lambda r: soon(Rationale(text=right(r), scores={"sure": 0.5}))),
    "an awaitable from a plain method": Broken(lambda r: soon(right(r))),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_teachers_of_every_kind(tmp_path: Path, name: str) -> None:
    result = tutelage.run(config(), teachers=[SOUND[name]], run_dir=tmp_path / "run")
    assert (result.reports[1].lessons.taught, result.reports[1].lessons.rejected) == (LESSONS, {})
    scores = [rationale.scores for rationale in RunDir(result.path).rationales(1)]
    assert scores == [{"teacher/sure": 0.5} if "rationale" in name else {}] * LESSONS


@pytest.mark.parametrize("name", ["Hangs", "Blocks", "Threads"])
def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(
        "import asyncio, time\n"
        "class Hangs:\n    name = 'mine'\n    def teach(self, request):\n        time.sleep(600)\n"
        "class Blocks(Hangs):\n    async def teach(self, request):\n        time.sleep(600)\n"
        "class Threads(Hangs):\n    async def teach(self, request):\n        await asyncio.to_thread(time.sleep, 600)\n"
    )
    settings = config(teachers=[f"mine:{name}"], teach={"timeout": 0.5})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "tutelage", "run", "config.yaml", "--run-dir", "run", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if not line.startswith(("cycle", " ", "teacher"))] == [
        "tutelage: teacher 'mine' did not answer within 0.5 seconds; raise teach.timeout, or look why it hangs; "
        "nobody is left to teach; go on with `tutelage resume run`"
    ]
    assert tutelage.Result(tmp_path / "run").summary["status"] == "failed"
