"""The problems of a run as agents see them: where a task has no tags, with the skills that the diagnosis discovered."""

from __future__ import annotations

from ..schema import Problem, Split
from ..tagging import tagged
from .context import RunContext


def problems_of(context: RunContext, split: Split, cycle: int) -> list[Problem]:
    """Return the problems of a split, tagged as the diagnosis of a cycle has it; as they are if there is none yet."""
    diagnosis = context.rundir.diagnosis(cycle)
    return tagged(context.problems[split], diagnosis.discovered if diagnosis else ())
