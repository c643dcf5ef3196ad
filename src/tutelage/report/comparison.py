"""Write the page of several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .charts import Chart, curves, shares_with_intervals
from .page import PLOTLY, write_page


def write_comparison(found: dict[str, Any], out: Path) -> None:
    """Write a page of what `tutelage.traces.compare.compare` found."""
    write_page(
        out, "compare.html.jinja", (PLOTLY, "charts.js"), {**found, "charts": [vars(chart) for chart in _charts(found)]}
    )


def _charts(found: dict[str, Any]) -> list[Chart]:
    gate = {
        row["run"]: [(cycle, share, n) for cycle, (share, n) in enumerate(zip(row["gate"], row["gate_n"], strict=True))]
        for row in found["runs"]
    }
    asked = {name: [point for point in points if point[1] is not None] for name, points in gate.items()}
    test = [(row["run"], row["test"]["best"], row["test"]["n"]) for row in found["runs"] if row["test"]["n"]]
    return [
        curves("gate", "Accuracy on the gate split, with 95 % intervals", "run", asked),
        *(
            [shares_with_intervals("test", "Test accuracy of the best student, with 95 % intervals", test)]
            if test
            else []
        ),
    ]
