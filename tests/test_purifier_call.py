"""How a run calls its purifier: off its own event loop, within `teach.timeout`, on copies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import RunError
from tutelage.graphs.purifier_call import PurifierCall
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Rationale
from tutelage.testing import FakePurifier, FakeTeacher, fake_config

PROBLEM = Problem(id="p", question="What is 3 + 4?", answer="7")


def texts(count: int = 2) -> list[Rationale]:
    return [Rationale(id=f"r{number}", text=f"It is {number}.", answer="7", verified=True) for number in range(count)]


class Acting:
    """Returns the first rationale, after it has done something."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        self.act()
        return rationales[0]


class Hanging:
    """Takes for ever, as a coroutine."""

    async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        await asyncio.sleep(600)
        return rationales[0]


def run(path: Path, purifier: Any, **teach: Any) -> tutelage.Result:
    config = fake_config(stop={"cycles": 1}, teach=teach)
    return tutelage.run(config, teachers=[FakeTeacher()], run_dir=path, purifier=purifier)


@pytest.mark.parametrize("purifier", [Acting(lambda: time.sleep(600)), Hanging()])
def test_one_that_hangs_ends_the_run_which_can_go_on(tmp_path: Path, purifier: Any) -> None:
    began = time.monotonic()
    told = rf"^purifier {type(purifier).__name__}: problem \w+ did not decide within 0.2 seconds; raise teach.timeout"
    with pytest.raises(RunError, match=told):
        run(tmp_path / "run", purifier, timeout=0.2)
    assert time.monotonic() - began < 60
    result = tutelage.resume(tmp_path / "run", teachers=[FakeTeacher()], purifier=FakePurifier())
    assert result.reports[1].lessons.taught == 16


async def test_a_slow_one_does_not_hold_up_the_run() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    call = PurifierCall(Acting(lambda: time.sleep(0.4)), "slow", timeout=60)
    assert (await call.purify(1, PROBLEM, texts())).rationales[0].id == "r0"
    ticking.cancel()
    assert ticks >= 5


async def test_one_call_at_a_time_and_who_waits_for_a_turn_is_not_timed() -> None:
    working, most = 0, 0

    def work() -> None:
        nonlocal working, most
        working, most = working + 1, max(most, working + 1)
        time.sleep(0.1)
        working -= 1

    call = PurifierCall(Acting(work), "slow", timeout=0.8)
    await asyncio.gather(*(call.purify(1, PROBLEM, texts()) for _ in range(12)))
    assert most == 1


async def test_a_coroutine_function_is_called_several_times_at_once() -> None:
    everybody = asyncio.Barrier(5)

    class Meeting:
        async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
            await everybody.wait()
            return rationales[-1]

    call = PurifierCall(Meeting(), "meeting", timeout=30)
    found = await asyncio.gather(*(call.purify(1, PROBLEM, texts()) for _ in range(5)))
    assert [one.rationales[0].id for one in found] == ["r1"] * 5
    assert await call.close() is None


async def test_what_it_is_given_is_a_copy() -> None:
    class Meddler:
        def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
            problem.metadata["x"] = 1
            rationales[0].scores["x"] = 1.0
            return rationales[0]

    given, problem = texts(), PROBLEM.model_copy(deep=True)
    await PurifierCall(Meddler(), "meddler", timeout=30).purify(1, problem, given)
    assert given == texts() and problem == PROBLEM


def test_one_that_would_end_the_process_ends_the_run_in_one_line(tmp_path: Path) -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(RunError, match=r"^purifier Acting: problem \w+: SystemExit\(3\); mend the plug-in$"):
        run(tmp_path / "run", Acting(leave))
    assert "in leave" in (tmp_path / "run" / "error.log").read_text()


def test_it_is_closed_on_the_loop_that_it_was_called_on(tmp_path: Path) -> None:
    where: set[tuple[int, str]] = set()

    class Closing:
        async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
            where.add((id(asyncio.get_running_loop()), threading.current_thread().name))
            return rationales[0]

        async def aclose(self) -> None:
            where.add((id(asyncio.get_running_loop()), threading.current_thread().name))
            raise OSError("no such socket")

    result = run(tmp_path / "run", Closing())
    assert len(where) == 1
    notes = [event["text"] for event in read(RunDir(result.path).events) if event["kind"] == "note"]
    assert notes == ["purifier: aclose raised OSError('no such socket')"]
