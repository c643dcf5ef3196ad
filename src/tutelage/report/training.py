"""What each training did: a table of its stages, and the loss of each step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from .. import jsonl
from ..records import parse_record
from ..rundir import RunDir
from ..schema import CycleReport, Record, TrainingReport
from ..wording import loss, outcome, seconds
from .charts import COLOURS, Chart, finished
from .clean import label

_CHECKPOINT = re.compile(r"cycle-(\d+)(?:-stage-(\d+))?")
_POINTS = 300
"""Of a curve; a longer one is drawn by means."""
_MARKED = 60
"""Points that are few enough to be marked."""
_DASHES = ("solid", "dash", "dot", "dashdot")


class Losses(Record):
    """What a training leaves beside its checkpoint."""

    stage: str
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """The loss of each step of one stage."""

    name: str
    losses: tuple[float, ...]


def stages(reports: Sequence[CycleReport]) -> list[dict[str, Any]]:
    """Return what each training stage did, or why it did nothing, as `tutelage show` tells it."""
    return [_stage(report.cycle, stage) for report in reports for stage in report.training]


def _stage(cycle: int, stage: TrainingReport) -> dict[str, Any]:
    return {
        "cycle": cycle,
        "name": stage.stage,
        "steps": stage.steps,
        "tokens": stage.tokens,
        "time": seconds(stage.seconds),
        "loss": loss(stage),
        "moved": outcome(stage),
    }


def loss_chart(rundir: RunDir) -> Chart:
    """Return the loss of each training by step, from what lies beside the checkpoints.

    Raises:
        RunError: If a `losses.json` is not as this version writes it.
    """
    found = [curve for curve in read_curves(rundir) if curve.losses]
    figure, title = go.Figure(), "Loss of each training, by step"
    for number, curve in enumerate(found):
        x, y = thinned(curve.losses)
        again, colour = divmod(number, len(COLOURS))
        line = {"color": COLOURS[colour], "dash": _DASHES[again % len(_DASHES)]}
        mode = "lines+markers" if len(x) <= _MARKED else "lines"
        figure.add_trace(go.Scatter(name=label(curve.name), x=x, y=y, line=line, mode=mode, marker={"size": 4}))
    figure.update_layout(xaxis={"title": "step"}, yaxis={"title": "loss"}, showlegend=True)
    title += ", in means of several steps" if any(len(curve.losses) > _POINTS for curve in found) else ""
    rows = [_figures(curve) for curve in found]
    return finished("losses", title, figure, ("training", "steps", "first", "lowest", "last"), rows)


def _figures(curve: Curve) -> tuple[str, ...]:
    some = curve.losses
    lowest = min(filter(isfinite, some), default=nan)
    return (curve.name, f"{len(some):,}", *(f"{one:.4f}" for one in (some[0], lowest, some[-1])))


def read_curves(rundir: RunDir) -> Iterator[Curve]:
    """Yield the losses of each stage that left some, cycle by cycle, the last stage of a cycle last.

    Raises:
        RunError: If a `losses.json` is not as this version writes it.
    """
    folders = rundir.checkpoints.iterdir() if rundir.checkpoints.is_dir() else ()
    named = [(match, folder) for folder in folders if (match := _CHECKPOINT.fullmatch(folder.name))]
    placed = [((int(match[1]), int(match[2]) if match[2] else len(named)), folder) for match, folder in named]
    for (cycle, _), folder in sorted(placed):
        path = folder / "losses.json"
        if path.is_file():
            read = parse_record(jsonl.read_json(path), Losses, path)
            yield Curve(f"cycle {cycle}, {read.stage}", read.losses)


def thinned(losses: Sequence[float]) -> tuple[list[float], list[float | None]]:
    """Return steps and losses to draw: all of them, or the means of equal parts where they are many.

    None is a gap in the curve: what is not finite cannot be drawn, and browsers read no JSON that has it.
    """
    size = -(-len(losses) // _POINTS)
    parts = [(start, losses[start : start + size]) for start in range(0, len(losses), size)]
    middles = [start + (len(part) + 1) / 2 for start, part in parts]
    return middles, [float(f"{fmean(part):.5g}") if all(map(isfinite, part)) else None for _, part in parts]
