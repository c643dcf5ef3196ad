"""Skill vectors: what an earlier cycle's reinforcement learning did is added again after a later fine-tuning.

PaST (arXiv 2601.11258): the updates of fine-tuning and of reinforcement learning are nearly orthogonal, so that
v_skill = theta_RL - theta_SFT can be kept and added to weights that were fine-tuned on something else:
theta = theta_SFT_target + scale * v_skill. No gradient is taken.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..checkpoints import load_tokenizer, save_checkpoint
from ..plugins import Plugin, build
from ..schema import TrainingReport
from ..schema.record import Positive
from ..seams import Stage, StageJob, TrainedStage
from . import adapter
from .checks import check_saved
from .session import canary, check_fields, stages_before
from .task_arithmetic import Vector, add_vector
from .unchanged import pass_on


@dataclass(frozen=True)
class SkillVectorStage:
    """Adds what an earlier cycle's stage did to the weights, without training."""

    name: ClassVar[str] = "skill-vector"
    takes_earlier: ClassVar[bool] = True

    scale: Positive = 1.0
    """How often the vector is added."""
    stage: str = "grpo"
    """The stage that made it, in the newest of the cycles that made the student. A skill vector that was added right
    before that stage belongs to it."""
    train: dict[str, Any] | None = None
    """Options of that stage, which then is run itself in place of this one in a cycle that has nothing to add yet;
    later cycles add what it did, which costs no training. If not given, nothing is done in such a cycle."""
    restore: bool = False
    """Whether the vector is added only as often as is missing to `scale`: for `training.start: last`, where the student
    has been trained on from weights that hold it, and adding it once more would double it."""

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        check_fields(self)
        if self.train is not None:
            self._stage(self.train).check()

    def halved(self) -> dict[str, Any] | None:
        """Return the options with half the batch of the stage that may be run; None if it cannot be cut."""
        cut = None if self.train is None else getattr(self._stage(self.train), "halved", lambda: None)()
        return None if cut is None else {"train": {**(self.train or {}), **cut}}

    def run(self, job: StageJob) -> TrainingReport:
        """Add the vector to where the job starts, and leave a checkpoint in `job.out`.

        Raises:
            RunError: If a checkpoint is gone, or what is on disk is not the sum.
            InputError: If a checkpoint belongs to another base student.
        """
        began = time.perf_counter()
        found = find_vector(job.earlier, self.stage)
        if found is None and self.train is not None:
            return self._stage(self.train).run(job)
        if found is None:
            return pass_on(self.name, job, f"no earlier cycle of this student had a stage {self.stage}: nothing to add")
        cycle, vector = found
        added = add_vector(job.base, job.start, vector, self.scale, restore=self.restore)
        if not added.norm:
            return pass_on(self.name, job, f"stage {self.stage} of cycle {cycle} has changed no weight: nothing to add")
        if adapter.is_main_process():
            tokenizer, stages = load_tokenizer(job.base), [*stages_before(job), self.name]
            save_checkpoint(added.model, job.out, base=job.base, stages=stages, tokenizer=tokenizer)
            check_saved(added.model, tokenizer, canary(job), job.base, job.out)
        seconds = round(time.perf_counter() - began, 3)
        metrics = {"cycle": float(cycle), "norm": added.norm, "held": added.held, "added": added.factor}
        return TrainingReport(stage=self.name, steps=0, tokens=0, loss=0.0, seconds=seconds, metrics=metrics)

    def _stage(self, options: dict[str, Any]) -> Stage:
        stage: Stage = build("stages", Plugin(name=self.stage, options=options))
        return stage


def find_vector(earlier: Sequence[TrainedStage], stage: str) -> tuple[int, Vector] | None:
    """Return the newest cycle that had a stage, and what the stage did there; None if there is none.

    A skill vector that was added right before the stage counts as its work: else the sum of both would be lost with
    the next newest.

    Args:
        earlier: The stages of the cycles that made the student, the first first.
        stage: Its name.
    """
    last = max((number for number, one in enumerate(earlier) if one.name == stage), default=None)
    if last is None:
        return None
    first = last
    while first and _continues(earlier[first - 1], earlier[last], stage):
        first -= 1
    return earlier[last].cycle, Vector(before=earlier[first].start, after=earlier[last].out)


def _continues(before: TrainedStage, later: TrainedStage, stage: str) -> bool:
    return before.cycle == later.cycle and before.name in (stage, SkillVectorStage.name)
