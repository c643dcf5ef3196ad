"""The call ledger: no call is paid for twice, whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutelage.errors import RunError
from tutelage.ledger import CallLedger, Reply, ledger_scope
from tutelage.schema import Cost


class Model:
    """Counts how often it is asked."""

    def __init__(self, delay: float = 0.0, error: Exception | None = None) -> None:
        self.delay = delay
        self.error = error
        self.asked = 0

    async def __call__(self) -> Reply:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return Reply(f"text {self.asked}", tokens_in=10, tokens_out=4, usd=0.5, seconds=0.1)


async def ask(ledger: CallLedger, model: Model, question: str = "q", temperature: float = 0.0) -> Reply:
    messages = [{"role": "user", "content": question}]
    return await ledger.call("m", messages, {"temperature": temperature, "api_key": "sk-secret"}, "1", model)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "calls.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[CallLedger]:
    with CallLedger(path) as made:
        yield made


async def test_a_stored_reply_costs_no_call_even_after_reopening(path: Path) -> None:
    model = Model()
    with CallLedger(path) as ledger:
        first = await ask(ledger, model)
        assert await ask(ledger, model) == first
    with CallLedger(path) as ledger:
        assert await ask(ledger, model) == first
    assert model.asked == 1


async def test_whatever_decides_the_reply_is_part_of_the_key(ledger: CallLedger) -> None:
    model = Model()
    await ask(ledger, model, "a")
    await ask(ledger, model, "b")
    await ask(ledger, model, "a", temperature=1.0)
    for name, version in (("other", "1"), ("m", "2")):
        await ledger.call(name, [{"role": "user", "content": "a"}], {}, version, model)
    assert model.asked == 5


async def test_equal_calls_at_once_share_one_flight(ledger: CallLedger) -> None:
    model = Model(delay=0.05)
    with ledger_scope(cycle=1):
        replies = await asyncio.gather(*(ask(ledger, model) for _ in range(20)))
    assert model.asked == 1 and len(set(replies)) == 1
    assert ledger.cost(1) == Cost(calls=1, cached_calls=19, tokens_in=10, tokens_out=4, usd=0.5)


async def test_event_loops_in_several_threads_share_one_flight(ledger: CallLedger) -> None:
    model, replies = Model(delay=0.2), []
    threads = [threading.Thread(target=lambda: replies.append(asyncio.run(ask(ledger, model)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert model.asked == 1 and replies == [Reply("text 1", 10, 4, 0.5, 0.1)] * 8


async def test_a_failure_is_shared_and_stores_nothing(ledger: CallLedger) -> None:
    broken = Model(delay=0.02, error=RunError("no"))
    outcomes = await asyncio.gather(*(ask(ledger, broken) for _ in range(5)), return_exceptions=True)
    assert [str(one) for one in outcomes] == ["no"] * 5 and broken.asked == 1
    assert ledger.cost() == Cost()
    assert (await ask(ledger, Model())).text == "text 1"


async def test_when_the_caller_is_cancelled_one_who_waits_takes_over(ledger: CallLedger) -> None:
    model = Model(delay=0.1)
    leader = asyncio.create_task(ask(ledger, model))
    await asyncio.sleep(0.01)
    followers = [asyncio.create_task(ask(ledger, model)) for _ in range(3)]
    await asyncio.sleep(0.01)
    followers[0].cancel()
    await asyncio.sleep(0.01)
    leader.cancel()
    replies = await asyncio.gather(*followers[1:])
    assert [reply.text for reply in replies] == ["text 2"] * 2 and model.asked == 2
    assert leader.cancelled() and followers[0].cancelled()


async def test_costs_are_kept_by_cycle_and_by_caller(ledger: CallLedger, path: Path) -> None:
    model = Model()
    with ledger_scope(cycle=1, agent="chat"):
        with ledger_scope(problem_id="p1"):
            await ask(ledger, model, "a")
        with ledger_scope(problem_id="p2", agent="critic"):
            await ask(ledger, model, "a")
    with ledger_scope(cycle=2):
        await asyncio.gather(ask(ledger, model, "b"), ask(ledger, model, "c"))
    assert ledger.cost(1) == Cost(calls=1, cached_calls=1, tokens_in=10, tokens_out=4, usd=0.5)
    assert ledger.cost(2) == Cost(calls=2, tokens_in=20, tokens_out=8, usd=1.0)
    assert ledger.cost(3) == Cost()
    assert ledger.cost().calls == 3
    rows = sqlite3.connect(path).execute("SELECT cycle, agent, problem_id, cached FROM uses ORDER BY id").fetchall()
    assert rows[:2] == [(1, "chat", "p1", 0), (1, "critic", "p2", 1)]


async def test_no_key_is_written(ledger: CallLedger, path: Path) -> None:
    await ask(ledger, Model(), "a private question")
    ledger.close()
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"text 1" in written
    assert b"sk-secret" not in written and b"private question" not in written


async def test_a_ledger_without_a_file_leaves_none(in_folder: Path) -> None:
    model = Model()
    with CallLedger(None) as ledger:
        await ask(ledger, model)
        await ask(ledger, model)
    assert model.asked == 1 and list(in_folder.iterdir()) == []


async def test_a_shared_ledger_serves_other_runs(tmp_path: Path) -> None:
    model, shared = Model(), tmp_path / "shared.sqlite"
    for run in ("one", "two"):
        with CallLedger(tmp_path / run / "calls.sqlite", shared=shared) as ledger:
            assert (await ask(ledger, model)).text == "text 1"
            assert ledger.cost().calls == (1 if run == "one" else 0)
            assert ledger.cost().cached_calls == (0 if run == "one" else 1)
    with CallLedger(tmp_path / "two" / "calls.sqlite") as alone:
        assert (await ask(alone, model)).text == "text 1"
    assert model.asked == 1


@pytest.mark.parametrize("damage", ["garbage", "half", "page"])
async def test_a_damaged_file_is_moved_aside(path: Path, damage: str) -> None:
    with CallLedger(path) as ledger:
        for i in range(200):
            await ask(ledger, Model(), f"{i}")
    data = path.read_bytes()
    page = data[: len(data) // 2] + b"\xff" * 4096 + data[len(data) // 2 + 4096 :]
    bad = {"garbage": b"garbage" * 999, "half": data[: len(data) // 2], "page": page}[damage]
    path.write_bytes(bad)
    with pytest.warns(UserWarning, match=r"damaged.*kept as calls\.sqlite\.damaged-1"):
        ledger = CallLedger(path)
        ledger.cost()
    model = Model()
    with ledger:
        await ask(ledger, model, "0")
    assert model.asked == 1
    assert (path.parent / "calls.sqlite.damaged-1").read_bytes() == bad


def test_a_newer_file_is_left_alone(path: Path) -> None:
    with CallLedger(path) as made:
        made.cost()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match=r"calls\.sqlite: .*version 99 is newer"):
        CallLedger(path).cost()
    assert [file.name for file in path.parent.iterdir()] == ["calls.sqlite"]


async def test_a_file_that_fails_later_is_named(ledger: CallLedger) -> None:
    ledger.cost()
    ledger.close()
    with pytest.raises(RunError, match=r"calls\.sqlite: the call ledger failed"):
        await ask(ledger, Model())
    with pytest.raises(RunError, match=r"cannot be opened"):
        CallLedger(ledger.path / "below-a-file").cost()


def test_naming_a_ledger_writes_nothing(path: Path) -> None:
    CallLedger(path).close()
    assert not path.exists()


CALLER = """
import asyncio, json, sys
from pathlib import Path
from tutelage.ledger import CallLedger, Reply
ledger = CallLedger(Path(sys.argv[1]))
async def main():
    for i in range(10**6):
        async def invoke():
            return Reply(f"text {i}")
        await ledger.call("m", [{"role": "user", "content": str(i)}], {}, "1", invoke)
        print(json.dumps(i), flush=True)
asyncio.run(main())
"""


async def test_kill_loses_no_reply_that_was_returned(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", CALLER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    seen = [json.loads(process.stdout.readline()) for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    seen += [json.loads(line) for line in process.stdout.read().splitlines() if line.strip()]
    process.wait()
    process.stdout.close()
    with CallLedger(path) as ledger:
        for i in seen:
            model = Model()
            reply = await ledger.call("m", [{"role": "user", "content": str(i)}], {}, "1", model)
            assert (reply.text, model.asked) == (f"text {i}", 0)


@pytest.mark.parametrize(
    "between", ["os.kill(os.getpid(), signal.SIGKILL)", "raise sqlite3.OperationalError('disk full')"]
)
async def test_a_reply_is_kept_with_its_use_or_not_at_all(path: Path, between: str) -> None:
    cut_off = (
        "import asyncio, os, signal, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from tutelage.ledger import CallLedger, Reply\n"
        f"def cut_off(*args, **named):\n    {between}\n"
        "CallLedger._note_use = cut_off\n"
        "async def invoke():\n    return Reply('text', 10, 4, 0.5)\n"
        "asyncio.run(CallLedger(Path(sys.argv[1])).call('m', [], {}, '1', invoke))\n"
    )
    process = subprocess.run([sys.executable, "-c", cut_off, str(path)], capture_output=True)
    assert process.returncode != 0
    with CallLedger(path) as ledger:
        model = Model()
        await ledger.call("m", [], {}, "1", model)
        assert model.asked == 1
        assert ledger.cost() == Cost(calls=1, tokens_in=10, tokens_out=4, usd=0.5)
