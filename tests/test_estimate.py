"""What `doctor` says a run will take, against what it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage.bill import Bill, as_document, as_lines
from tutelage.config import StopConfig
from tutelage.ledger import CallLedger
from tutelage.spending import Spending
from tutelage.testing import fake_config
from tutelage.testing.chat_server import ChatServer

Run = Callable[..., tuple[int, str, str]]


def chat(server: ChatServer, **options: Any) -> dict[str, Any]:
    prices = {"price_in": 1000.0, "price_out": 2000.0}
    return {"name": "chat", "options": {"model": "fake", "base_url": server.base_url, **prices, **options}}


def estimate(tutelage_cli: Run, folder: Path, **overrides: Any) -> dict[str, Any]:
    (folder / "config.yaml").write_text(yaml.safe_dump(fake_config(**overrides)))
    code, out, err = tutelage_cli("doctor", folder / "config.yaml", "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)["estimate"]
    return found


def test_a_small_run_makes_the_calls_that_are_likely(tutelage_cli: Run, tmp_path: Path) -> None:
    with ChatServer() as server:
        told = estimate(tutelage_cli, tmp_path, teachers=[chat(server)])
        assert server.requests == 0
        result = tutelage.run(tmp_path / "config.yaml", run_dir=tmp_path / "run")
    with CallLedger(result.path / "calls.sqlite") as ledger:
        cost = ledger.cost()
    likely, most = told["likely"], told["most"]
    assert likely["calls"] == cost.calls == 2 * 16
    assert most["calls"] == 2 * 16 * 2 * 2  # cycles, lessons, the one refinement, the one repair turn
    assert cost.tokens_in < most["tokens_in"] and cost.tokens_out < most["tokens_out"]
    assert all(likely[key] <= most[key] for key in likely)
    assert cost.usd < most["usd"] == pytest.approx(most["tokens_in"] * 1e-3 + most["tokens_out"] * 2e-3)
    assert likely["usd"] == pytest.approx(likely["tokens_in"] * 1e-3 + likely["tokens_out"] * 2e-3)
    assert told["plugins"][0]["who"] == "teacher 'chat'"


def test_refinements_repairs_and_the_critic_stay_within_the_most(tutelage_cli: Run, tmp_path: Path) -> None:
    with ChatServer(reply=lambda messages: "I would rather not say?") as server:
        critic = {"name": "chat", "options": {**chat(server)["options"], "max_tokens": 64}}
        given = {
            "teachers": [chat(server), chat(server, name="other", max_tokens=100)],
            "teach": {"max_revisions": 2, "drafts": 2, "critic": critic},
            "plan": {"lessons": 3, "growth": 2.0},
            "stop": {"cycles": 2},
        }
        told = estimate(tutelage_cli, tmp_path, **given)
        result = tutelage.run(tmp_path / "config.yaml", run_dir=tmp_path / "run")
    with CallLedger(result.path / "calls.sqlite") as ledger:
        cost = ledger.cost()
    texts = (3 + 6) * 2
    by_name = {row["who"]: row for row in told["plugins"]}
    assert by_name["teacher 'other'"]["likely"]["calls"] == texts
    assert by_name["teacher 'other'"]["most"]["calls"] == texts * 3 * 2
    assert by_name["teacher 'other'"]["most"]["tokens_out"] == texts * 3 * 2 * 100
    assert by_name["the critic"]["most"]["calls"] == texts * 2 * 2
    assert by_name["the critic"]["most"]["tokens_out"] == texts * 2 * 2 * 64
    assert told["likely"]["calls"] < cost.calls + cost.cached_calls <= told["most"]["calls"]
    assert cost.usd < told["most"]["usd"]


def test_no_more_is_planned_than_there_is(tutelage_cli: Run, tmp_path: Path) -> None:
    with ChatServer() as server:
        task = {"name": "tutelage.testing:FakeTask", "options": {"train": 10}}
        told = estimate(tutelage_cli, tmp_path, teachers=[chat(server)], task=task, stop={"cycles": 3})
        assert told["likely"]["calls"] == 30
        told = estimate(
            tutelage_cli, tmp_path, teachers=[chat(server)], task=task, plan={"lessons": None}, stop={"cycles": 1}
        )
        assert told["likely"]["calls"] == 10


def test_what_a_teacher_hears_is_likely_to_cost(tutelage_cli: Run, tmp_path: Path) -> None:
    with ChatServer() as server:
        deaf = estimate(tutelage_cli, tmp_path, teachers=[chat(server)], teach={"hears": []})
        hearing = estimate(tutelage_cli, tmp_path, teachers=[chat(server)], teach={"hears": ["history"]})
    assert hearing["likely"]["tokens_in"] - deaf["likely"]["tokens_in"] == 32 * 800


def test_an_unknown_price_is_said_to_be_unknown(tutelage_cli: Run, tmp_path: Path) -> None:
    with ChatServer() as server:
        teacher = {"name": "chat", "options": {"model": "fake", "base_url": server.base_url}}
        told = estimate(tutelage_cli, tmp_path, teachers=[teacher, chat(server, name="priced")])
        assert told["plugins"][0]["most"]["usd"] is None and told["plugins"][1]["most"]["usd"] > 0
        assert told["most"]["usd"] is None
        _, out, _ = tutelage_cli("doctor", tmp_path / "config.yaml")
    assert "cost teacher 'chat': likely 32 calls, " in out
    assert "out, price unknown\n" in out


def test_free_teachers_cost_nothing(tutelage_cli: Run, tmp_path: Path) -> None:
    assert estimate(tutelage_cli, tmp_path)["plugins"] == []
    assert "cost no calls to pay for" in tutelage_cli("doctor", tmp_path / "config.yaml")[1]


def test_lines_for_a_person() -> None:
    one = Bill("teacher 'a'", Spending(10, 20_000, 1000), Spending(40, 100_000, 8000), (1.0, 2.0))
    other = Bill("the critic", Spending(), Spending(20, 10_000, 500), (1.0, 2.0))
    assert list(as_lines([one, other], StopConfig(max_usd=0.1, max_tokens=10**9))) == [
        "cost teacher 'a': likely 10 calls, 20,000 tokens in, 1,000 out, 0.022 dollars",
        "cost teacher 'a': at most 40 calls, 100,000 tokens in, 8,000 out, 0.12 dollars",
        "cost the critic: likely 0 calls, 0 tokens in, 0 out, 0.00 dollars",
        "cost the critic: at most 20 calls, 10,000 tokens in, 500 out, 0.011 dollars",
        "cost together: likely 10 calls, 20,000 tokens in, 1,000 out, 0.022 dollars",
        "cost together: at most 60 calls, 110,000 tokens in, 8,500 out, 0.13 dollars",
        "note the most is above stop.max_usd (0.10): the run might stop, and a resume go on",
    ]
    assert list(as_lines([one], StopConfig(max_tokens=5)))[-1].startswith("note the most is above stop.max_tokens (5)")
    assert as_document([one, other])["most"] == {"calls": 60, "tokens_in": 110_000, "tokens_out": 8500, "usd": 0.127}


def test_doctor_finds_a_teacher_that_cannot_be_called(tutelage_cli: Run, in_folder: Path) -> None:
    (in_folder / "unasked.py").write_text("class Mine:\n    name = 'mine'\n    def teach(self):\n        return ''\n")
    (in_folder / "config.yaml").write_text(yaml.safe_dump(fake_config(teachers=["unasked:Mine"])))
    code, _, err = tutelage_cli("doctor", "config.yaml")
    assert code == 2
    assert "teacher 'mine' has a teach that does not take one request" in err
