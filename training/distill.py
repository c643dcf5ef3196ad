"""On-policy distillation (GKD, arXiv 2306.13649): the student samples, a white-box teacher scores every token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..checkpoints import load_tokenizer
from ..errors import InputError
from ..schema import TrainingReport
from ..schema.record import Count, Positive, Unit
from ..seams import StageJob
from . import adapter, gold
from .checks import check_lessons
from .divergence import first_and_last, with_divergence
from .limits import read_limits
from .on_policy import counting, fitting_batch, prompt_row
from .options import GradientStage
from .session import Session, finish, report, session, train
from .sft import resample, supervised_tokens
from .unchanged import pass_on
from .vocabularies import compare, cut_to, width_of
from .white_box import BASE, WhiteBox, load_teacher, teacher_folder


@dataclass(frozen=True)
class DistillStage(GradientStage):
    """The student answers the lessons' questions and moves towards what a teacher would have said at each token.

    The lessons' texts are not looked at.
    """

    name: ClassVar[str] = "distill"

    learning_rate: Positive = 1e-4
    """The peak; half of it suits all weights."""
    teacher: str = BASE
    """A folder with safetensors or an id of the Hugging Face hub; `base` is the base student, which gives back what
    other stages before this one have made it forget."""
    beta: Unit = 1.0
    """Which divergence: 1 is the reverse KL, KL(student || teacher), 0 the forward one, between them a generalised
    Jensen-Shannon divergence."""
    temperature: Positive = 1.0
    """Of the sampling, and of both distributions in the loss; with gold of the sampling alone."""
    max_new_tokens: Count = 256
    """Length limit of a sampled answer."""
    batch_size: Count = 8
    """Answers a device samples and learns from at once."""
    tokenizers: Literal["same", "auto", "gold"] = "same"
    """`same` refuses a teacher whose tokens are not the student's, `gold` aligns the two tokenizations, `auto` does so
    where they differ."""

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        return {
            **super().options,
            "per_device_train_batch_size": self.batch_size,
            "beta": self.beta,
            "temperature": self.temperature,
            "max_completion_length": self.max_new_tokens,
            "remove_unused_columns": False,
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        extra = self.extra or {}
        if self.tokenizers != "gold":
            adapter.check_options(self.name, "distill", self.options, extra)
        if self.tokenizers != "same":
            adapter.check_options(self.name, "gold", {**self.options, **gold.OPTIONS}, extra)

    def check_teacher(self, base: Path) -> None:
        """Require that the teacher can be had and its tokens can be compared with the student's; no weights are read.

        Args:
            base: The base student's folder.

        Raises:
            InputError: If not.
        """
        folder = teacher_folder(self.name, self.teacher, base)
        widths = read_limits(base).vocabulary, read_limits(folder).vocabulary
        self._is_aligned(load_tokenizer(base), load_tokenizer(folder), *widths)

    def run(self, job: StageJob) -> TrainingReport:
        """Train on the questions of the job's lessons and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start or the teacher cannot be loaded, or their tokens differ.
            RunError: If training fails, or the checkpoint on disk is not what was trained.
        """
        check_lessons(job.lessons, 1)
        if self.teacher == BASE and job.start is None:
            return pass_on(self.name, job, "the student still is the base student: it has forgotten nothing")
        rows = [prompt_row(lesson) for lesson in resample(job.lessons, job.seed)]
        with session(self.name, job, rows, self.trained, self.max_new_tokens, self.report_to) as work:
            teacher = load_teacher(self.name, self.teacher, work)
            widths = width_of(work.setup.model), width_of(teacher.model)
            aligned = self._is_aligned(work.setup.tokenizer, teacher.tokenizer, *widths)
            batch = fitting_batch(self.batch_size, len(rows), self.parts)
            options = {**self.options, "per_device_train_batch_size": batch}
            trainer = (self._gold if aligned else self._plain)(work, teacher, options)
            seconds = train(trainer, job.out)
            finish(work, trainer)
            losses = adapter.logged(trainer, "loss")
            divergences = dict(enumerate(losses)) if aligned else trainer.divergences
            metrics = {"train_seconds": seconds, "gold": float(aligned), **first_and_last(divergences)}
            return report(work, trainer, supervised_tokens(trainer), losses, **metrics)

    def _is_aligned(self, student: Any, teacher: Any, width: int, teacher_width: int) -> bool:
        """Return whether two tokenizations are to be aligned; for the arguments see `compare`.

        Raises:
            InputError: If they would have to be, and are not to be or cannot be.
        """
        found = compare(student, teacher, width, teacher_width)
        if self.tokenizers == "gold" or (found.mismatch and self.tokenizers == "auto"):
            gold.require_bytes({"student": student, "teacher": teacher})
            return True
        if found.mismatch:
            raise InputError(
                f"stages: distill: teacher: {self.teacher}: its vocabulary is not the student's: {found.mismatch}; "
                "set tokenizers: gold, or take a teacher of the student's family"
            )
        return False

    def _plain(self, work: Session, teacher: WhiteBox, options: dict[str, Any]) -> Any:
        cut_to(teacher.model, width_of(work.setup.model))
        return adapter.build_trainer(
            "distill", work.setup, options, self.extra or {}, wrap=_measured, teacher_model=teacher.model
        )

    def _gold(self, work: Session, teacher: WhiteBox, options: dict[str, Any]) -> Any:
        student = work.setup.tokenizer
        prompts = gold.teacher_prompts([row["prompt"] for row in work.setup.rows], student, teacher.tokenizer)
        unread = {"completion": [{"role": "assistant", "content": "?"}]}  # TRL wants one, and samples another
        trainer = adapter.build_trainer(
            "gold",
            replace(work.setup, rows=[{**row, **unread} for row in work.setup.rows]),
            {**options, **gold.OPTIONS, "teacher_tokenizer_name_or_path": str(teacher.folder)},
            self.extra or {},
            wrap=gold.asking(prompts, str(student.eos_token)),
            teacher_model=teacher.model,
        )
        gold.settle(trainer, teacher)
        return trainer


def _measured(trainer_class: Any) -> Any:
    return counting(with_divergence(trainer_class))
