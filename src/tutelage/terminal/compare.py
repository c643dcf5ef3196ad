"""Several runs side by side."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..wording import seconds
from .text import percent, plain

_VALUE = 40
"""Characters of a setting's value."""


def comparison(found: dict[str, Any]) -> Group:
    """Return what `tutelage compare` shows."""
    shown: list[Table | Text] = [_runs(found["runs"])]
    if found["differences"]:
        shown.append(_settings(found))
    if len(found["arms"]) < len(found["runs"]):
        shown.append(_arms(found["arms"]))
    shown.append(
        _pairs(found["pairs"])
        if found["pairs"]
        else plain("they differ in name and seed alone: there is nothing to test")
    )
    return Group(*shown)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", padding=(0, 0, 0, 1))
    for number, name in enumerate(columns):
        table.add_column(plain(name), justify="right" if number else "left")
    return table


def _runs(rows: list[dict[str, Any]]) -> Table:
    names = (
        "run",
        "test before",
        "after",
        "n",
        "best cycle",
        "lessons",
        "trained tokens",
        "paid tokens",
        "USD",
        "time",
    )
    table = _table("runs", *names)
    for row in rows:
        test, best = row["test"], row["best_cycle"]
        figures = (
            percent(test["base"]),
            percent(test["best"]),
            str(test["n"] or "-"),
            "-" if best is None else str(best),
        )
        usd = f"{row['usd']:.4f}" + (" or more" if row["cost_note"] else "")
        took = (f"{row['lessons']:,}", f"{row['tokens_trained']:,}", f"{row['tokens_paid']:,}", usd)
        name = row["run"] if row["status"] == "finished" else f"{row['run']} ({row['status']})"
        table.add_row(plain(name, 60), *figures, *took, seconds(row["seconds"]))
    return table


def _settings(found: dict[str, Any]) -> Table:
    table = _table("what was set otherwise", "setting", *(row["run"] for row in found["runs"]))
    for name, values in found["differences"].items():
        table.add_row(plain(name, 60), *(plain("-" if value is None else str(value), _VALUE) for value in values))
    return table


def _arms(rows: list[dict[str, Any]]) -> Table:
    table = _table("runs that differ in name and seed alone", "runs", "test mean", "sd")
    for row in rows:
        spread = "-" if row["sd"] is None else f"{100 * row['sd']:.1f} points"
        table.add_row(plain(", ".join(row["runs"]), 80), percent(row["mean"]), spread)
    return table


def _pairs(rows: list[dict[str, Any]]) -> Table:
    title = "pairs, on the test problems that both were asked (runs of one seed beside each other)"
    table = _table(title, "from", "to", "seeds", "n", "difference", "95 %", "p", "Holm")
    for row in rows:
        shown: list[str | Text] = [*(plain(name, 40) for name in row["arms"]), str(row["seeds"]), str(row["n"])]
        if row["untested"]:
            table.add_row(*shown, row["untested"], "-", "-", "-")
            continue
        ends = "-" if row["low"] is None else f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        table.add_row(*shown, f"{100 * row['difference']:+.1f} points", ends, _p(row["p"]), _p(row["p_holm"]))
    return table


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
