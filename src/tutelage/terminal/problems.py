"""A list of problems, a row each."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from .text import plain

_MARKS = {1.0: ("+", "green"), 0.0: ("-", "red"), None: (".", "dim")}


def problem_table(found: dict[str, Any]) -> Table:
    """Return a page of a list of problems."""
    cycles = found["cycles"]
    table = Table(title=plain(_title(found)), title_justify="left", padding=(0, 0, 0, 1))
    table.caption, table.caption_justify = plain(_caption(found)), "left"
    for name in ("problem", "split"):
        table.add_column(name, no_wrap=True)
    table.add_column("after cycle\n" + " ".join(map(str, cycles)), no_wrap=True)
    told = [name for name in ("taught", "skills", "teachers") if any(row[name] for row in found["problems"])]
    for name in (*told, "question"):
        table.add_column(name)
    for row in found["problems"]:
        marks = Text(" ").join(_mark(row["right"].get(cycle), len(str(cycle))) for cycle in cycles)
        names = (plain(", ".join(map(str, row[name])), 60) for name in told)
        table.add_row(plain(row["id"], 40), row["split"], marks, *names, plain(row["question"], 200))
    return table


def _mark(share: float | None, width: int) -> Text:
    """Return a sign for the share of right answers: right, wrong, both of several, or not asked."""
    sign, style = _MARKS.get(share, ("~", "yellow"))
    return Text(sign.rjust(width), style=style)


def _title(found: dict[str, Any]) -> str:
    told = f"{found['run']}: {found['total']} problem{'s' * (found['total'] != 1)}"
    if "changed" in found:
        moved = found["changed"]
        told += f"; from cycle {moved['before']} to {moved['after']}: {moved['fell']} fell and {moved['rose']} rose"
    return told


def _caption(found: dict[str, Any]) -> str:
    legend = "+ right, - wrong, ~ some of several answers, . not asked; `tutelage trace --problem` shows one"
    if found["pages"] == 1:
        return legend
    return f"page {found['page']} of {found['pages']} (--page, --limit); {legend}"
