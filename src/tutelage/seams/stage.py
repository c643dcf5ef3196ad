"""What turns lessons into weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..schema import Lesson, Strategy, TrainingReport


@dataclass(frozen=True)
class TrainedStage:
    """A training stage of an earlier cycle: the checkpoints before and after it."""

    cycle: int
    name: str
    start: Path | None
    """None is the base student."""
    out: Path


@dataclass(frozen=True)
class StageJob:
    """All that a training stage gets. Everything in it can be written as JSON, for the worker process."""

    cycle: int
    base: Path
    """The base student's folder."""
    start: Path | None
    """The checkpoint to start from; None starts from the base."""
    out: Path
    """The empty folder that the new checkpoint goes to."""
    lessons: tuple[Lesson, ...]
    seed: int
    device: str = "auto"
    precision: str = "auto"
    task: dict[str, object] = field(default_factory=dict)
    """The task's plug-in specification, for stages whose reward grades answers."""
    checker: dict[str, object] = field(default_factory=dict)
    """The step checker's plug-in specification, for stages whose reward reads steps; empty without one."""
    strategies: tuple[Strategy, ...] = ()
    """The whole library, for stages that have `takes_strategies = True`."""
    earlier: tuple[TrainedStage, ...] = ()
    """The stages of the cycles that made the student, the first first, for stages that have `takes_earlier = True`."""
    title: str = ""
    """What trackers know the training by, such as `cycle-001-sft`."""
    logs: Path | None = None
    """The folder that trackers leave their files in, each in one of its name: the run directory."""


@runtime_checkable
class Stage(Protocol):
    """Turns lessons into weights."""

    name: str

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        ...

    def run(self, job: StageJob) -> TrainingReport:
        """Train and leave a checkpoint in `job.out`."""
        ...
