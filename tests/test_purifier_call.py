"""How a run calls its purifier: off its own event loop, within `teach.timeout`, on copies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import RunError
from tutelage.errors import CallFailed, Declined
from tutelage.graphs.purifier_call import PurifierCall
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Rationale
from tutelage.testing import FakePurifier, FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer

PROBLEM = Problem(id="p", question="What is 3 + 4?", answer="7")


def texts(count: int = 2) -> list[Rationale]:
    return [Rationale(id=f"r{number}", text=f"It is {number}.", answer="7", verified=True) for number in range(count)]


def called(purifier: Any, timeout: float = 30.0, bench_after: int = 5) -> tuple[PurifierCall, list[dict[str, Any]]]:
    """Return how a purifier is called, and the events that come of it."""
    events: list[dict[str, Any]] = []
    return PurifierCall(purifier, "odd", timeout, bench_after, events.append), events


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
    told = rf"^purifier {type(purifier).__name__}: problem \w+ did not decide within 0.6 seconds; raise teach.timeout"
    with pytest.raises(RunError, match=told):
        run(tmp_path / "run", purifier, timeout=0.6)  # the resumed run has it too
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
    call = called(Acting(lambda: time.sleep(0.4)))[0]
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

    call = called(Acting(work), timeout=0.8)[0]
    await asyncio.gather(*(call.purify(1, PROBLEM, texts()) for _ in range(12)))
    assert most == 1


async def test_a_coroutine_function_is_called_several_times_at_once() -> None:
    everybody = asyncio.Barrier(5)

    class Meeting:
        async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
            await everybody.wait()
            return rationales[-1]

    call = called(Meeting())[0]
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
    await called(Meddler())[0].purify(1, problem, given)
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


class Calling:
    """Fails at its model, declines, or writes what it was told to, one a call."""

    def __init__(self, turns: str) -> None:
        self.turns = iter(turns)

    async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        turn = next(self.turns)
        if turn == "f":
            raise CallFailed("the model is down")
        if turn == "d":
            raise Declined("not this one")
        return rationales[0]


async def answers(call: PurifierCall, count: int, cycle: int = 1, alike: bool = False) -> list[str]:
    """Return the letter of what became of each of so many calls, one after the other; `n` was not asked."""
    letters = {None: "s", "its call failed: the model is down": "f", "it declined: not this one": "d"}
    given = [texts()[0]] * 2 if alike else texts()
    return [letters.get((await call.purify(cycle, PROBLEM, given)).fallback, "n") for _ in range(count)]


async def test_one_whose_model_keeps_failing_is_asked_no_more_until_the_next_cycle() -> None:
    call, events = called(Calling("ffsffdffffsf"), bench_after=3)
    assert "".join(await answers(call, 12)) == "ffsffdfffnnn", "what was declined was answered"
    (note,) = events
    assert (note["kind"], note["cycle"]) == ("note", 1)
    assert note["text"] == ("purifier odd is asked no more in this cycle after 3 failures in a row: the model is down")
    assert (await call.purify(1, PROBLEM, texts())).fallback == "not asked after 3 failures in a row"
    assert "".join(await answers(call, 3, cycle=2)) == "fsf" and len(events) == 1


async def test_where_there_is_nothing_to_choose_no_model_has_answered() -> None:
    call, _ = called(Calling("fsf"), bench_after=2)
    got = [*await answers(call, 1), *await answers(call, 1, alike=True), *await answers(call, 2)]
    assert "".join(got) == "fsfn"


async def test_failures_that_end_last_are_no_failures_in_a_row() -> None:
    class Busy:
        async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
            if int(problem.id) % 3 == 0:
                await asyncio.sleep(0.2)  # as a call that takes all its tries
                raise CallFailed("busy")
            return rationales[0]

    call, events = called(Busy(), bench_after=3)
    problems = [PROBLEM.model_copy(update={"id": str(number)}) for number in range(15)]
    found = await asyncio.gather(*(call.purify(1, problem, texts()) for problem in problems))
    assert sum(one.fallback is not None for one in found) == 5 and events == []


def test_a_chat_model_that_is_down_is_not_asked_for_every_problem(tmp_path: Path) -> None:
    with ChatServer(fail_first=99, fail_status=500) as server:
        options = {"model": "fake", "base_url": server.base_url, "retries": 0}
        teach = {"bench_after": 3, "concurrency": 1}
        config = fake_config(teach=teach, purifier={"name": "aggregate", "options": options}, stop={"cycles": 2})
        result = tutelage.run(
            config,
            teachers=[FakeTeacher("wordy", preface="Let us see. "), FakeTeacher("brief")],
            run_dir=tmp_path / "run",
        )
        assert server.requests == 6, "three in each cycle"
    rundir = RunDir(result.path)
    for cycle in (1, 2):
        told = Counter(decision.fallback for decision in rundir.decisions(cycle))
        assert told.pop("not asked after 3 failures in a row") == 13 and told.total() == 3
        assert all(str(why).startswith("its call failed: the purifier (fake at ") for why in told)
        assert {lesson.origin for lesson in rundir.lessons(cycle)} == {"wordy"}
    notes = [(e["cycle"], e["text"]) for e in read(rundir.events) if e["kind"] == "note" and "no more" in e["text"]]
    assert [cycle for cycle, _ in notes] == [1, 2]
    start = "purifier aggregate is asked no more in this cycle after 3 failures in a row: the purifier (fake at "
    assert all(text.startswith(start) for _, text in notes)
