"""The budget: a run stops before it spends more, keeps what it has paid for, and goes on with more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage import InputError
from tutelage.agents.critics.chat import ChatCritic
from tutelage.agents.teachers.chat import ChatTeacher
from tutelage.budget import Budget, dollars, overspent
from tutelage.changes import CHANGEABLE
from tutelage.config import RunConfig
from tutelage.errors import BudgetSpent, RunError
from tutelage.jsonl import read
from tutelage.ledger import CallLedger, Reply
from tutelage.rundir import RunDir
from tutelage.schema import Cost
from tutelage.testing import FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer
from tutelage.training.grpo import GRPOStage
from tutelage.training.sft import SFTStage

Run = Callable[..., tuple[int, str, str]]


def chat(server: ChatServer, **options: Any) -> dict[str, Any]:
    prices = {"price_in": 1000.0, "price_out": 2000.0}
    return {"name": "chat", "options": {"model": "fake", "base_url": server.base_url, **prices, **options}}


def lessons(result: tutelage.Result) -> list[Any]:
    return [[lesson.model_dump() for lesson in result.lessons(c)] for c in (1, 2)]


def spent(path: Path) -> Cost:
    with CallLedger(path / "calls.sqlite") as ledger:
        return ledger.cost()


@pytest.fixture
def server() -> Any:
    with ChatServer() as made:
        yield made


def test_a_run_stops_in_the_middle_and_goes_on_with_more(tutelage_cli: Run, in_folder: Path) -> None:
    with ChatServer() as server:
        whole = tutelage.run(fake_config(teachers=[chat(server)]), run_dir=in_folder / "whole")
        asked = server.requests
    total = spent(whole.path)
    assert asked == total.calls == 32
    with ChatServer(latency=0.01) as server:
        limit = round(total.usd / 4, 4)
        given = fake_config(teachers=[chat(server, concurrency=1)], stop={"cycles": 2, "max_usd": limit})
        (in_folder / "config.yaml").write_text(yaml.safe_dump(given))
        code, out, err = tutelage_cli("run", "config.yaml", "--run-dir", "run")
        path = in_folder / "run"
        stopped = spent(path)
        assert (code, out) == (1, "")
        assert err.splitlines()[-1] == (
            f"tutelage: budget: {dollars(stopped.usd)} of {dollars(limit)} dollars spent; "
            f"go on with `tutelage resume run --set stop.max_usd={2 * limit:g}`"
        )
        assert limit <= stopped.usd < limit + 1.5 * stopped.usd / stopped.calls  # one call too much at most
        assert 0 < stopped.calls == server.requests < 16
        assert len(RunDir(path).rationales(1)) == stopped.calls  # all that was paid for is there
        summary = tutelage.Result(path).summary
        assert summary["status"] == "interrupted"
        assert summary["stop_reason"].startswith("budget: ")
        assert "interrupted: budget: " in tutelage_cli("show", path)[1]
        assert tutelage_cli("resume", path)[0] == 1
        assert server.requests == stopped.calls
        code, _, err = tutelage_cli("resume", path, "--set", f"stop.max_usd={4 * total.usd}")
        assert code == 0, err
        assert server.requests == asked
        assert lessons(tutelage.Result(path)) == lessons(whole)
        assert spent(path).calls == asked
    kept = yaml.safe_load((path / "config.yaml").read_text())
    assert kept["stop"]["max_usd"] == 4 * total.usd
    changed = [event["set"] for event in read(RunDir(path).events) if event["kind"] == "changed"]
    assert changed == [[f"stop.max_usd={4 * total.usd}"]]


def test_tokens_are_a_budget_too(tmp_path: Path, server: ChatServer) -> None:
    config = fake_config(teachers=[chat(server)], stop={"cycles": 1, "max_tokens": 500})
    with pytest.raises(RunError, match=r"^budget: \d+ of 500 tokens spent$"):
        tutelage.run(config, run_dir=tmp_path / "run")
    asked = server.requests
    result = tutelage.resume(tmp_path / "run", overrides=["stop.max_tokens=1000000"])
    assert result.reports[1].lessons.taught == 16
    assert asked < server.requests == 16


@pytest.mark.parametrize("field", ["max_usd", "max_tokens"])
def test_what_a_purifier_has_paid_for_is_kept_when_the_budget_ends(tmp_path: Path, field: str) -> None:
    def fused(messages: list[dict[str, str]]) -> str:
        told = re.search(r"What is (.+)\?\n.*<right_answer>\n(\d+)\n", messages[-1]["content"], re.S)
        assert told
        return f"Both say that {told[1]} = {told[2]}.\nAnswer: {told[2]}"

    def fuse(path: Path, **stop: float) -> tutelage.Result:
        purifier = {**chat(server, concurrency=4), "name": "aggregate"}
        config = fake_config(purifier=purifier, stop={"cycles": 1, **stop})
        return tutelage.run(config, teachers=teachers, run_dir=path)

    teachers = [FakeTeacher("a"), FakeTeacher("b", preface="Let us see. ")]
    with ChatServer(fused, latency=0.01) as server:
        whole = fuse(tmp_path / "whole")
    total = spent(whole.path)
    each = {"max_usd": total.usd, "max_tokens": total.tokens_in + total.tokens_out}[field]
    path = tmp_path / "run"
    with ChatServer(fused, latency=0.01) as server:
        with pytest.raises(RunError, match=r"^budget: "):
            fuse(path, **{field: type(each)(each / 2)})
        stopped = spent(path)
        assert total.calls == 16 and 0 < stopped.calls == server.requests < 16
        kept = [r.text for r in RunDir(path).rationales(1) if r.teacher == "purifier aggregate"]
        assert len(kept) == stopped.calls and not RunDir(path).decisions(1)
        result = tutelage.resume(path, teachers=teachers, overrides=[f"stop.{field}={2 * each}"])
        assert server.requests == server.paid.total() == 16 and set(server.paid.values()) == {1}
    assert spent(path).calls == 16
    assert [one.text for one in result.lessons(1)] == [one.text for one in whole.lessons(1)]
    assert {one.fallback for one in RunDir(path).decisions(1)} == {None}


def test_a_budget_that_is_spent_at_the_end_of_a_cycle_ends_the_run_as_it_should(
    tmp_path: Path, server: ChatServer
) -> None:
    once = tutelage.run(fake_config(teachers=[chat(server)], stop={"cycles": 1}), run_dir=tmp_path / "once")
    limit = round(spent(once.path).usd - 1e-6, 6)  # the last call of the first cycle goes over it
    config = fake_config(teachers=[chat(server, concurrency=1)], stop={"cycles": 2, "max_usd": limit})
    result = tutelage.run(config, run_dir=tmp_path / "run")
    assert result.summary["status"] == "finished"
    assert result.summary["stop_reason"].startswith("budget: ")
    assert len(result.reports) == 2


def test_a_free_teacher_needs_no_budget(tmp_path: Path) -> None:
    result = tutelage.run(fake_config(stop={"cycles": 1, "max_usd": 0.01, "max_tokens": 1}), run_dir=tmp_path / "run")
    assert result.reports[1].lessons.taught == 16


async def calls(ledger: CallLedger, count: int, seconds: float = 0.01) -> tuple[int, int, int]:
    """Make so many different calls at once, a tenth of a dollar each; return how many were made, refused, at once."""
    at_once = most = made = 0

    async def invoke() -> Reply:
        nonlocal at_once, most, made
        at_once, made = at_once + 1, made + 1
        most = max(most, at_once)
        await asyncio.sleep(seconds)
        at_once -= 1
        return Reply("text", 60, 40, 0.1)

    asked = [ledger.call("m", [{"role": "user", "content": str(n)}], {}, "1", invoke) for n in range(count)]
    got = await asyncio.gather(*asked, return_exceptions=True)
    refused = [error for error in got if isinstance(error, BudgetSpent)]
    assert len(refused) + sum(isinstance(reply, Reply) for reply in got) == count
    return made, len(refused), most


async def test_calls_under_way_count_for_the_average() -> None:
    with CallLedger(None, budget=Budget(max_usd=1.95)) as ledger:
        assert await calls(ledger, 60) == (20, 40, 19)  # 2.0 dollars: one call too much; the first went alone
        assert await calls(ledger, 20) == (0, 0, 0)  # paid for


async def test_what_is_paid_for_is_answered_after_the_budget_is_spent() -> None:
    with CallLedger(None, budget=Budget(max_usd=0.25)) as ledger:
        assert (await calls(ledger, 3))[:2] == (3, 0)
        assert await calls(ledger, 4) == (0, 1, 0)
        assert ledger.cost().cached_calls == 3


async def test_a_failed_call_costs_nothing_and_lets_the_next_one_in() -> None:
    async def fail() -> Reply:
        await asyncio.sleep(0.01)
        raise OSError("down")

    async def work() -> Reply:
        return Reply("text", 60, 40, 0.1)

    def call(ledger: CallLedger, what: str, invoke: Any) -> Any:
        return ledger.call("m", [{"role": "user", "content": what}], {}, "1", invoke)

    with CallLedger(None, budget=Budget(max_usd=0.15)) as ledger:
        await call(ledger, "first", work)
        got = await asyncio.gather(call(ledger, "down", fail), call(ledger, "next", work), return_exceptions=True)
        assert isinstance(got[0], OSError) and isinstance(got[1], Reply)  # the second waited for the first


async def test_who_waits_for_the_budget_can_be_cancelled() -> None:
    budget = Budget(max_usd=1.0)
    await budget.enter(lambda: Cost(calls=1, usd=0.9))
    waiting = asyncio.create_task(budget.enter(Cost))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    budget.leave(made=False)
    await budget.enter(Cost)


def test_amounts_are_read_by_people() -> None:
    assert [dollars(amount) for amount in (0, 12.3456, 0.5, 0.0512, 0.000213)] == [
        "0.00",
        "12.35",
        "0.50",
        "0.051",
        "0.00021",
    ]
    assert overspent(Cost(usd=5.0), None, None) is None
    assert str(overspent(Cost(tokens_in=3, tokens_out=4), None, 7)) == "budget: 7 of 7 tokens spent"


REFUSED = {
    "plan.lessons=3": "would make another run of it",
    "teachers.0.options.model=x": "would make another run of it",
    "stop={max_usd: 3}": "would make another run of it",
    "stop.max_usd=-1": "stop.max_usd",
    "stop.max_usd": "write it as field.name=value",
    "teachers.7.options.timeout=3": "no index of a list of 1",
}


@pytest.mark.parametrize("override", REFUSED)
def test_a_resume_refuses_what_would_make_another_run(tutelage_cli: Run, in_folder: Path, override: str) -> None:
    with pytest.raises(RunError):
        tutelage.run(fake_config(), teachers=[FakeTeacher(fails="no credit")], run_dir=in_folder / "run")
    before = (in_folder / "run" / "config.yaml").read_bytes()
    code, _, err = tutelage_cli("resume", "run", "--set", override)
    lines = [line for line in err.splitlines() if line.startswith("tutelage: ")]
    assert (code, len(lines)) == (2, 1)
    assert REFUSED[override] in lines[0]
    assert (in_folder / "run" / "config.yaml").read_bytes() == before


def test_a_finished_run_takes_no_changes(tmp_path: Path) -> None:
    tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run")
    with pytest.raises(InputError, match=r"run is finished"):
        tutelage.resume(tmp_path / "run", overrides=["stop.cycles=3"])


def test_a_limit_in_dollars_asks_for_prices_on_resume_too(tmp_path: Path, server: ChatServer) -> None:
    teacher = {"name": "chat", "options": {"model": "fake", "base_url": server.base_url}}
    config = fake_config(teachers=[teacher], stop={"cycles": 1, "max_tokens": 100})
    with pytest.raises(RunError, match="tokens spent"):
        tutelage.run(config, run_dir=tmp_path / "run")
    with pytest.raises(InputError, match=r"stop.max_usd: teacher 'chat': price unknown"):
        tutelage.resume(tmp_path / "run", overrides=["stop.max_usd=1"])
    prices = [
        "teachers.0.options.price_in=1",
        "teachers.0.options.price_out=1",
        "stop.max_usd=1",
        "stop.max_tokens=null",
    ]
    assert tutelage.resume(tmp_path / "run", overrides=prices).summary["status"] == "finished"


def test_the_changeable_fields_exist() -> None:
    calls = set(ChatTeacher.__init__.__annotations__) & set(ChatCritic.__init__.__annotations__)
    trained = {field.name for stage in (SFTStage, GRPOStage) for field in fields(stage)}
    for name in CHANGEABLE:
        if "." not in name:
            assert name in RunConfig.model_fields
            continue
        section, *between, last = name.removesuffix(".*").split(".")  # at the end: all that is below it
        annotation: Any = RunConfig.model_fields[section].annotation
        options = trained if section == "training" else calls
        assert last in (options if "options" in between else annotation.model_fields)
