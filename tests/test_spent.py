"""What a run has spent is told while it goes on, after its budget has ended it, and after its ledger was lost."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import tutelage
from tutelage.errors import BudgetSpent
from tutelage.ledger import CallLedger
from tutelage.report import write_report
from tutelage.rundir import RunDir
from tutelage.schema import Cost
from tutelage.testing import ASKERS, asking_config, reply_to_all
from tutelage.testing.chat_server import ChatServer
from tutelage.traces import summarise
from tutelage.traces.compare import compare
from tutelage.traces.spent import read_spending

Run = Callable[..., tuple[int, str, str]]


def ledger_cost(rundir: RunDir) -> Cost:
    with CallLedger(rundir.calls) as ledger:
        return ledger.cost()


def page_of(rundir: RunDir, folder: Path) -> str:
    write_report(rundir, folder / "page.html")
    return (folder / "page.html").read_text()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Return a run that its budget ended in the middle of the first cycle that teaches."""
    path = tmp_path_factory.mktemp("runs") / "stopped"
    with ChatServer(reply_to_all) as server, pytest.raises(BudgetSpent):
        tutelage.run(asking_config(server.base_url, stop={"max_tokens": 9000}), run_dir=path)
    found = RunDir.open(path)
    assert [report.cycle for report in found.reports()] == [0]
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    path = tmp_path_factory.mktemp("runs") / "finished"
    with ChatServer(reply_to_all) as server:
        tutelage.run(asking_config(server.base_url), run_dir=path)
    return RunDir.open(path)


def test_what_a_run_spent_that_its_budget_ended_is_told(stopped: RunDir, tmp_path: Path, tutelage_cli: Run) -> None:
    spent = ledger_cost(stopped)
    tokens = spent.tokens_in + spent.tokens_out
    assert spent.calls > 9 and tokens >= 9000
    told = json.loads(tutelage_cli("show", stopped.path, "--json")[1])["cost"]
    assert told == {**spent.model_dump(mode="json"), "usd": pytest.approx(spent.usd), "note": None}
    assert f"{spent.calls} calls, {tokens:,} tokens, {spent.usd:.4f} USD" in " ".join(
        tutelage_cli("show", stopped.path)[1].split()
    )
    again = shutil.copytree(stopped.path, tmp_path / "again")
    rows = compare([stopped.path, again])["runs"]
    assert [(row["tokens_paid"], row["usd"]) for row in rows] == [(tokens, round(spent.usd, 6))] * 2


def test_the_page_counts_the_cycle_that_was_not_reported(stopped: RunDir, tmp_path: Path) -> None:
    spent, page = ledger_cost(stopped), page_of(stopped, tmp_path)
    assert f"<dt>cost</dt><dd>{spent.usd:.4f} USD</dd>" in page
    assert {"tokens", "dollars"} <= set(re.findall(r'id="chart-(\w+)-name"', page))


def test_a_run_whose_cycles_are_all_reported_says_nothing_twice(finished: RunDir, tutelage_cli: Run) -> None:
    summary, spent = summarise(finished), ledger_cost(finished)
    assert summary["cost"]["usd"] == pytest.approx(sum(cycle["cost"]["usd"] for cycle in summary["cycles"]))
    assert summary["cost"]["cached_calls"] == spent.cached_calls and spent.calls == summary["cost"]["calls"]
    assert "paid for" not in tutelage_cli("show", finished.path)[1]


@pytest.mark.parametrize("damage", ["lost", "torn"])
def test_without_its_ledger_a_run_tells_what_its_reports_say(
    finished: RunDir, tmp_path: Path, tutelage_cli: Run, damage: str
) -> None:
    copy = RunDir(Path(shutil.copytree(finished.path, tmp_path / "run")))
    for path in copy.path.glob("calls.sqlite*"):
        path.unlink()
    if damage == "torn":
        copy.calls.write_bytes(b"no database, but a text that is long enough to be one, as it seems to SQLite" * 99)
    told, before = summarise(copy)["cost"], summarise(finished)["cost"]
    assert told["tokens_in"] == before["tokens_in"] > 0 and told["usd"] == pytest.approx(before["usd"])
    assert (told["note"] is None) == (damage == "lost")
    code, out, _ = tutelage_cli("show", copy.path)
    assert code == 0 and ("cannot be read" in " ".join(out.split())) == (damage == "torn")
    assert ("cannot be read" in page_of(copy, tmp_path)) == (damage == "torn")
    assert compare([copy.path, finished.path])["runs"][0]["cost_note"] == told["note"]


def test_a_ledger_that_was_begun_anew_counts_only_where_it_knows_more(finished: RunDir, tmp_path: Path) -> None:
    copy = RunDir(Path(shutil.copytree(finished.path, tmp_path / "run")))
    with sqlite3.connect(copy.calls) as ledger:
        ledger.execute("DELETE FROM uses WHERE cycle = 1 AND id % 2")
    ledger.close()
    assert summarise(copy)["cost"] == summarise(finished)["cost"]


def figures_of(page: str, name: str) -> dict[str, list[str]]:
    """Return the rows of a table of the page by their heads."""
    (table,) = re.findall(rf'aria-label="{name}">\n<table[^>]*>(.*?)</table>', page, flags=re.DOTALL)
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in table.split("<tr>")[2:]]
    return {row[0]: row[1:] for row in rows}


def test_the_page_tells_what_everybody_spent_who_asked(finished: RunDir, tmp_path: Path) -> None:
    page, spent = page_of(finished, tmp_path), read_spending(finished).by_agent()
    assert set(spent) == set(ASKERS)
    roles = {"tutor": "teacher", "aggregate": "purifier", "critic": "critic", "diagnostician": "diagnostician"}
    assert figures_of(page, "Cost by who asked") == {
        name: [roles[name], f"{one.calls:,}", f"{one.tokens:,}", f"{one.usd:.4f}"] for name, one in spent.items()
    }
    league = {name: row[-2:] for name, row in figures_of(page, "Teachers").items()}
    for name, agent in (("tutor", "tutor"), ("purifier aggregate", "aggregate")):
        assert league[name] == [f"{spent[agent].tokens:,}", f"{spent[agent].usd:.4f}"]
    assert league["second"] == ["0", "0.0000"]


def test_what_a_teacher_spent_that_has_the_purifier_s_name_is_not_guessed(tmp_path: Path) -> None:
    with ChatServer(reply_to_all) as server:
        config = asking_config(server.base_url)
        config["teachers"][0]["options"]["name"] = "aggregate"
        rundir = RunDir(tutelage.run(config, run_dir=tmp_path / "run").path)
    page, spent = page_of(rundir, tmp_path), read_spending(rundir).by_agent()
    league = figures_of(page, "Teachers")
    assert league["aggregate"][-1] == league["purifier aggregate"][-1] == "shares its name, see below"
    told = figures_of(page, "Cost by who asked")["aggregate"]
    assert told[0] == "teacher or purifier, which share the name" and told[2] == f"{spent['aggregate'].tokens:,}"


def test_cents_that_are_spent_slowly_are_seen(finished: RunDir, tmp_path: Path, tutelage_cli: Run) -> None:
    copy = RunDir(Path(shutil.copytree(finished.path, tmp_path / "run")))
    for path in copy.path.glob("calls.sqlite*"):
        path.unlink()
    for report in copy.reports():
        cost = Cost(calls=5, tokens_in=900, tokens_out=100, usd=0.0041)
        copy.write_report(report.model_copy(update={"cost": cost}))
    page = page_of(copy, tmp_path)
    assert "<dt>cost</dt><dd>0.0123 USD</dd>" in page
    chart = re.search(r'<figcaption id="chart-dollars-name">.*?</figure>', page, flags=re.DOTALL)
    assert chart and chart[0].count("0.0041") >= 3
    assert [row[6] for row in figures_of(page, "Cycles").values()] == ["0.0041"] * 3
    assert tutelage_cli("show", copy.path)[1].count("0.0041") == 3
    for report in copy.reports():
        copy.write_report(report.model_copy(update={"cost": Cost(calls=1, usd=0.0)}))
    assert "chart-dollars" not in page_of(copy, tmp_path) and "chart-learning" in page_of(copy, tmp_path)
