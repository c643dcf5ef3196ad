"""A task's own figures in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .text import plain


def print_measures(console: Console, document: Mapping[str, Any]) -> None:
    """Print the `measures` of a document of `show` or `exam`; nothing if it has none."""
    if "measures" in document:
        console.print(measures_table(document["measures"]))


def measures_table(measures: Mapping[str, Any]) -> Table:
    """Return a task's own figures: one row a figure, where they are mappings one column each."""
    table = Table(title="measures", title_justify="left", padding=(0, 0, 0, 1))
    columns = list(measures) if all(isinstance(one, Mapping) for one in measures.values()) else [""]
    figures = measures if columns != [""] else {"": measures}
    for name in ("", *columns):
        table.add_column(plain(name), no_wrap=True)
    for name in dict.fromkeys(name for one in figures.values() for name in one):
        table.add_row(plain(name), *(_figure(figures[column].get(name)) for column in columns))
    return table


def _figure(value: Any) -> Text:
    """Return a figure, or one under `value` with what stands beside it."""
    if not isinstance(value, Mapping):
        return plain("-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value))
    beside = ", ".join(f"{name} {one}" for name, one in value.items() if name != "value")
    return _figure(value.get("value")) + plain(f" ({beside})" if beside else "")
