"""The training stages of the cycles that a student was made in, with the checkpoints before and after each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..lineage import lineage
from ..schema import BASE, CycleReport
from ..seams import TrainedStage
from .context import RunContext


def earlier_stages(context: RunContext, student: str) -> tuple[TrainedStage, ...]:
    """Return the stages that made a student, the first first; none for the base student.

    Their checkpoints are never removed by a run.
    """
    reports = lineage(context.rundir.reports(), student)
    return tuple(stage for report in reports for stage in _stages(context, report))


def _stages(context: RunContext, report: CycleReport) -> Iterator[TrainedStage]:
    from_base = context.config.training.start == "base" or report.parent == BASE
    start = None if from_base else context.rundir.path / report.parent
    for number, trained in enumerate(report.training):
        out = checkpoint_path(context, report.cycle, number)
        yield TrainedStage(report.cycle, trained.stage, start, out)
        start = out


def checkpoint_path(context: RunContext, cycle: int, number: int) -> Path:
    """Return where the checkpoint of a cycle's stage lies; the last stage's is the cycle's."""
    name = f"cycle-{cycle:03d}"
    last = number == len(context.config.training.stages) - 1
    return context.rundir.checkpoints / (name if last else f"{name}-stage-{number}")
