"""The file that a bench adds its runs to, one by one, maybe from several processes at once, and tables of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

Run = dict[str, Any]
Terms = Callable[[Sequence[Run]], Mapping[str, Any]]
"""Gives what of a report must be the same where runs are added to those it has, as JSON has it."""


def known_runs(out: Path, terms: Terms) -> list[Run]:
    """Return the runs that a report has.

    Raises:
        SystemExit: If they were made under other terms.
    """
    if not out.exists():
        return []
    report = json.loads(out.read_text())
    runs: list[Run] = report["runs"]
    if not terms(runs).items() <= report.items():
        raise SystemExit(f"{out}: was made under other terms; remove it, or give --out")
    return runs


def add_run(out: Path, run: Run, terms: Terms, told: Mapping[str, Any], order: Callable[[Run], Any]) -> None:
    """Add a run to a report.

    Args:
        out: The report, made if it is not there.
        run: To be added.
        terms: Of the report.
        told: What else stands at its head.
        order: By which its runs are sorted.
    """
    with FileLock(out.with_suffix(".lock")):
        runs = sorted([*known_runs(out, terms), run], key=order)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({**told, **terms(runs), "runs": runs}, indent=1) + "\n")


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table, whose first row is the head."""
    head, *others = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *others))
