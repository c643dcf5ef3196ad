"""The charts of the page, as Plotly draws them; colours that follow the light or dark scheme are set in the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..schema import CycleReport, Diagnosis, Split
from ..shares import wilson
from .clean import label
from .figures import percent

SPLITS = (Split.PROBE, Split.GATE, Split.RETENTION)
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999", "#b66dff")
"""Okabe and Ito's, which people who do not see all colours tell apart, and a ninth: a run mostly has nine nodes."""
_SKILLS = 40
"""Rows of the heat map."""
MASTERY_COLOURS = ("#6f9fd8", "#c4c6c4", "#ffe94a")
"""From none to all; lighter from one to the next, and light enough for black figures in either scheme."""
_PATTERNS = ("", "/", "x", ".", "-", "+")
_PERCENT = {"ticksuffix": " %", "hoverformat": ".1f"}
"""How an axis writes percentages; they are drawn as such, since Plotly sets no space before its own sign."""


Point = tuple[int, float, int]
"""A cycle, an accuracy, and of how many answers."""


@dataclass(frozen=True)
class Chart:
    """A chart and the same figures as a table, for who cannot see it."""

    id: str
    title: str
    figure: dict[str, Any]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def learning_curves(reports: Sequence[CycleReport], test: Mapping[str, Any], best_cycle: int | None) -> Chart:
    """Return the accuracy of each cycle's student on each split, with 95 % intervals."""
    points = {
        split.value: [(r.cycle, r.accuracy[split], r.n[split]) for r in reports if split in r.accuracy]
        for split in SPLITS
    }
    tested = {0: test.get("base"), best_cycle: test.get("best")}  # where no student was better, the base is the best
    for cycle, share in tested.items():
        if cycle is not None and share is not None:
            points.setdefault("test (base and best)", []).append((cycle, share, int(test["n"])))
    return curves("learning", "Learning curves, with 95 % intervals", "split", points)


def curves(id_: str, title: str, kind: str, points: Mapping[str, Sequence[Point]]) -> Chart:
    """Return accuracies by cycle, one line for each name, with 95 % intervals (Wilson's score)."""
    figure, rows = go.Figure(), []
    for number, (name, some) in enumerate((name, some) for name, some in points.items() if some):
        figure.add_trace(_line(label(name), some, COLOURS[number % len(COLOURS)]))
        rows += [(name, str(cycle), *_shown(share, n)) for cycle, share, n in some]
    figure.update_layout(yaxis={"range": [-2, 102], **_PERCENT}, xaxis={"title": "cycle", "dtick": 1})
    return finished(id_, title, figure, (kind, "cycle", "accuracy", "95 % interval", "problems"), rows)


def shares_with_intervals(id_: str, title: str, shares: Sequence[tuple[str, float, int]]) -> Chart:
    """Return an accuracy for each name, with 95 % intervals (Wilson's score)."""
    places, values = list(range(len(shares))), [100 * share for _, share, _ in shares]
    error = _error([(share, n) for _, share, n in shares])
    figure = go.Figure(go.Bar(x=values, y=places, orientation="h", error_x=error, marker={"color": COLOURS[0]}))
    figure.update_layout(xaxis={"range": [0, 100], **_PERCENT}, yaxis=_named([name for name, _, _ in shares]))
    rows = [(name, *_shown(share, n)) for name, share, n in shares]
    return finished(id_, title, figure, ("run", "accuracy", "95 % interval", "problems"), rows)


def _named(names: Sequence[str]) -> dict[str, Any]:
    """Return an axis of names from the top down; by place, since Plotly takes some names for numbers or dates."""
    ticks = {"tickvals": list(range(len(names))), "ticktext": [label(name) for name in names]}
    return {"autorange": "reversed", "automargin": True, **ticks}


def _line(name: str, points: Sequence[Point], colour: str) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[cycle for cycle, _, _ in points],
        y=[100 * share for _, share, _ in points],
        error_y=_error([(share, n) for _, share, n in points]),
        line={"color": colour},
        mode="lines+markers",
    )


def _error(shares: Sequence[tuple[float, int]]) -> dict[str, Any]:
    """Return how far the interval of each share reaches to both sides, in percentage points."""
    ends = [wilson(share, n) for share, n in shares]
    above = [100 * max(0.0, high - share) for (share, _), (_, high) in zip(shares, ends, strict=True)]
    below = [100 * max(0.0, share - low) for (share, _), (low, _) in zip(shares, ends, strict=True)]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1.2}


def _shown(share: float, n: int) -> tuple[str, str, str]:
    low, high = wilson(share, n)
    return percent(share), f"{percent(low)} to {percent(high)}", str(n)


def mastery_map(diagnoses: Sequence[Diagnosis]) -> Chart:
    """Return what is believed of each skill before each cycle's training; the weakest at the end at the top."""
    by_cycle = {one.cycle: {skill.skill: skill.mean for skill in one.mastery} for one in diagnoses if one.mastery}
    last = {skill: mean for means in by_cycle.values() for skill, mean in means.items()}
    skills = sorted(last, key=lambda skill: (last[skill], skill))
    shown, cycles = skills[:_SKILLS], list(by_cycle)
    grid = [[_times_100(by_cycle[cycle].get(skill)) for cycle in cycles] for skill in shown]
    figure = go.Figure(
        go.Heatmap(
            z=grid, x=[f"cycle {cycle}" for cycle in cycles], y=list(range(len(shown))),
            zmin=0, zmax=100, colorscale=list(zip((0, 0.5, 1), MASTERY_COLOURS, strict=True)),
            colorbar={"ticksuffix": " %", "thickness": 12},
            customdata=[[label(skill)] * len(cycles) for skill in shown],
            texttemplate="%{z:.1f} %", textfont={"color": "#000"},
            hovertemplate="%{customdata}, %{x}: %{z:.1f} %<extra></extra>", hoverongaps=False,
        )
    )  # fmt: skip
    figure.update_layout(yaxis=_named(shown))
    title = "Mastery of each skill before each training"
    title += f", the weakest {_SKILLS} of {len(skills)}" if len(skills) > _SKILLS else ""
    rows = [(skill, *(percent(by_cycle[cycle].get(skill)) for cycle in cycles)) for skill in skills]
    return finished("mastery", title, figure, ("skill", *(f"cycle {cycle}" for cycle in cycles)), rows)


def bars(
    id_: str, title: str, counts: Mapping[str, Mapping[int, float]], cycles: Iterable[int], unit: str, digits: int = 0
) -> Chart:
    """Return stacked bars, one a cycle: how much there was of each kind.

    Args:
        id_: Names the chart in the page.
        title: What a person reads.
        counts: By kind and cycle.
        cycles: All cycles, those without anything included.
        unit: What is counted.
        digits: Of a figure, behind the point.
    """
    figure, x = go.Figure(), list(cycles)
    for number, (kind, by_cycle) in enumerate(counts.items()):
        values = [by_cycle.get(cycle, 0) for cycle in x]
        figure.add_trace(go.Bar(name=label(kind), x=x, y=values, marker=_filled(number)))
    figure.update_layout(barmode="stack", xaxis={"title": "cycle", "dtick": 1}, yaxis={"title": unit}, showlegend=True)
    figure.update_layout(legend={"traceorder": "normal"})  # Plotly turns it round where bars are stacked
    rows = [(kind, *(f"{by_cycle.get(cycle, 0):,.{digits}f}" for cycle in x)) for kind, by_cycle in counts.items()]
    return finished(id_, title, figure, (unit, *(f"cycle {cycle}" for cycle in x)), rows)


def _filled(number: int) -> dict[str, Any]:
    """Return the look of a kind of bar; where the colours are used up, they come again with a pattern."""
    again, colour = divmod(number, len(COLOURS))
    pattern = {"shape": _PATTERNS[again % len(_PATTERNS)], "fillmode": "overlay", "solidity": 0.3}
    return {"color": COLOURS[colour], **({"pattern": pattern} if again else {})}


def finished(id_: str, title: str, figure: go.Figure, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Chart:
    """Return a chart with what all of them share, and its figures as a table."""
    figure.update_layout(template="none", margin={"l": 56, "r": 16, "t": 8, "b": 48})
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    return Chart(id_, title, figure.to_plotly_json(), head, tuple(rows))


def _times_100(share: float | None) -> float | None:
    return None if share is None else 100 * share
