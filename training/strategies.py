"""The stage that trains nothing: it puts a library of strategies beside weights that stay as they are."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import ClassVar

from ..checkpoints import note_strategies, weights_of
from ..errors import RunError
from ..schema import Library, TrainingReport
from ..schema.record import Count, Unit
from ..seams import StageJob
from ..strategies import write_library
from .session import check_fields


@dataclass(frozen=True)
class StrategiesStage:
    """The student is shown strategies for its weaknesses when it is asked; no weight changes."""

    name: ClassVar[str] = "strategies"
    takes_strategies: ClassVar[bool] = True

    retrieve: Count = 1
    """Strategies shown with a question at most: those whose questions look most like it."""
    near: Unit = 0.2
    """Likeness of two questions, in [0, 1], from which a strategy is shown; a question of another kind gets none."""
    examples: bool = True
    """Whether a strategy's worked example is shown too."""

    def check(self) -> None:
        """Raise InputError if an option is not what its type says."""
        check_fields(self)

    def run(self, job: StageJob) -> TrainingReport:
        """Write the library, and which weights it goes with.

        Raises:
            RunError: If there is no strategy to write.
        """
        began = time.perf_counter()
        if not job.strategies:
            raise RunError("there is no strategy to write: no weakness has a verified rationale")
        library = Library(retrieve=self.retrieve, near=self.near, examples=self.examples, strategies=job.strategies)
        write_library(job.out, library)
        weights = None if job.start is None else weights_of(job.start)
        note_strategies(
            job.out,
            base=job.base,
            weights=None if weights is None else os.path.relpath(weights, job.out),
            start=job.start,
        )
        seconds = round(time.perf_counter() - began, 3)
        metrics = {"strategies": float(len(job.strategies))}
        return TrainingReport(stage=self.name, steps=0, tokens=0, loss=0.0, seconds=seconds, metrics=metrics)
