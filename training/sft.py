"""Supervised fine-tuning on lessons, loss on the answer alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError, RunError
from ..schema import Lesson, TrainingReport
from ..schema.record import Count, NotNegative, Share
from ..seams import StageJob
from . import adapter
from .checks import IGNORED, check_lessons, check_supervision
from .drift import Drift
from .frozen import cast_once
from .memory import fit_batch
from .options import GradientStage
from .session import Interpolation, Session, finish, prompt_of, report, session, train


@dataclass(frozen=True)
class SFTStage(GradientStage):
    """The student imitates each lesson's text, given its question."""

    name: ClassVar[str] = "sft"

    batch_size: Count = 8
    """Lessons a device takes at once."""
    max_tokens: Count | None = None
    """Supervised tokens, give or take a batch: as many passes over the lessons as make so many, so that longer lessons
    are gone through less often and methods compare at equal cost."""
    max_length: Count = 1024
    """Tokens of question and answer at most; a lesson that does not fit is an error."""
    interpolate: Share = 1.0
    """Share of the way from the start's weights to the trained ones that is gone in the end; less than 1 forgets
    less (WiSE-FT)."""
    drift: NotNegative = 0.0
    """Weight, beside the loss, of how far the adapter moves its layers' outputs on rehearsed conversations: more holds
    more of what the base student knows. With 0 the rehearsed answers are imitated instead. Needs an adapter, and memory
    for a float32 matrix of inputs x inputs for each layer."""

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        return {
            **super().options,
            "per_device_train_batch_size": self.batch_size,
            "max_length": self.max_length,
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.drift and self.mode != "lora":
            raise InputError(f"stages: {self.name}: drift: needs an adapter; use mode lora, or leave it out")
        if self.max_steps is not None and self.max_tokens is not None:
            raise InputError(f"stages: {self.name}: max_steps and max_tokens both say when to end; leave one out")
        extra = self.extra or {}
        if extra.get("packing") or extra.get("padding_free"):
            raise InputError(
                f"stages: {self.name}: extra: packing joins lessons, so that their masks cannot be checked; remove it"
            )
        adapter.check_options(self.name, "sft", self.options, extra)

    def run(self, job: StageJob) -> TrainingReport:
        """Train on the job's lessons and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start cannot be loaded.
            RunError: If a lesson would be trained on wrongly, or the checkpoint on disk is not what was trained.
        """
        taught = [lesson for lesson in job.lessons if not (self.drift and lesson.rehearsed)]
        check_lessons(taught, 1)
        rows = [row_of(lesson) for lesson in resample(taught, job.seed)]
        with session(self.name, job, rows, self.trained, report_to=self.report_to) as work:
            trainer = self._trainer(work)
            check_supervision(trainer, work.setup.tokenizer, rows)
            if self.gradient_accumulation == "auto":
                fit_batch(trainer)
            if self.max_tokens is not None:
                trainer.args.num_train_epochs = self.max_tokens / tokens_a_pass(trainer)
            part_way = Interpolation(trainer.model, self.interpolate)
            with cast_once(trainer):
                trainer.drift = self._drift(work, trainer)
                seconds = train(trainer, job.out)
            part_way.apply(trainer.model)
            finish(work, trainer)
            losses = adapter.logged(trainer, "loss")
            metrics = {"first_loss": losses[0], "train_seconds": seconds, "lessons": len(rows)}
            return report(work, trainer, supervised_tokens(trainer), losses, **metrics, **self._metrics(trainer))

    def _trainer(self, work: Session) -> Any:
        return adapter.sft_trainer(work.setup, self.options, self.extra or {})

    def _metrics(self, trainer: Any) -> dict[str, float]:
        return {"drift": float(trainer.drift.value().detach())} if trainer.drift else {}

    def _drift(self, work: Session, trainer: Any) -> Drift | None:
        """Return what holds the student to the base student, if anything does."""
        if not self.drift:
            return None
        if work.merge_at_end:
            raise RunError(
                f"stages: {self.name}: drift: the start is not an adapter on these layers alone; leave it out"
            )
        if adapter.sharded(trainer):
            raise RunError(
                f"stages: {self.name}: drift: needs whole layers, and FSDP or DeepSpeed splits them; leave it out"
            )
        replay = [row_of(lesson) for lesson in work.job.lessons if lesson.rehearsed]
        with trainer.accelerator.autocast():
            return Drift(adapter.plain_model(trainer), work.setup.tokenizer, replay, self.drift)


def row_of(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as a TRL row: prompt and completion as messages."""
    if not lesson.text.strip():
        raise RunError(f"lesson {lesson.problem_id}: its text is empty")
    completion = [{"role": "assistant", "content": lesson.text}]
    return {"prompt": prompt_of(lesson), "completion": completion, "problem_id": lesson.problem_id}


def resample(lessons: Sequence[Lesson], seed: int) -> list[Lesson]:
    """Draw as many lessons as there are, each in proportion to its weight, by systematic resampling.

    A lesson of weight w among a total W appears floor(n w / W) or ceil(n w / W) times, so equal weights change nothing
    (Kitagawa 1996: the scheme of least variance with one random number).

    Raises:
        RunError: If no lesson has a positive weight.
    """
    weights = [lesson.weight for lesson in lessons]
    total = sum(weights)
    if min(weights) < 0 or not 0 < total < float("inf"):
        raise RunError("lesson weights must be finite, none negative and not all 0")
    if len(set(weights)) == 1:
        return list(lessons)
    step = total / len(lessons)
    mark = random.Random(seed).random() * step
    drawn: list[Lesson] = []
    reached = 0.0
    for lesson in lessons:
        reached += lesson.weight
        while mark < reached and len(drawn) < len(lessons):
            drawn.append(lesson)
            mark += step
    return drawn


def tokens_a_pass(trainer: Any) -> int:
    """Return how many tokens a trainer is supervised on in one pass over its rows; nothing predicts a row's first."""
    return sum(label != IGNORED for labels in trainer.train_dataset["labels"] for label in labels[1:])


def supervised_tokens(trainer: Any) -> int:
    """Return how many tokens a trainer was supervised on, all processes together."""
    import torch

    here = torch.tensor(trainer.supervised_tokens, device=trainer.accelerator.device)
    return int(trainer.accelerator.reduce(here, reduction="sum"))
