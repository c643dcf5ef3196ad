"""Replay as a stage: what the student could do is imitated once more, for after a stage that may have cost it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import InputError
from ..schema import TrainingReport
from ..seams import StageJob
from .sft import SFTStage
from .unchanged import pass_on


@dataclass(frozen=True)
class ReplayStage(SFTStage):
    """The student imitates the base student's own answers and the lessons of earlier cycles, and nothing new."""

    name: ClassVar[str] = "replay"

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.drift:
            raise InputError("stages: replay: drift: rehearsed answers are what this stage imitates; leave drift out")

    def run(self, job: StageJob) -> TrainingReport:
        """Train on what is not new in the job, and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start cannot be loaded.
            RunError: If a lesson would be trained on wrongly, or the checkpoint on disk is not what was trained.
        """
        known = tuple(lesson for lesson in job.lessons if lesson.rehearsed or lesson.cycle < job.cycle)
        if not known:
            return pass_on(self.name, job, "there is no earlier lesson and no rehearsed answer: nothing to replay")
        return super().run(replace(job, lessons=known))
