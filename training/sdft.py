"""Self-distillation (SDFT, arXiv 2601.19897): the student that has read the rationale teaches the one that has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..errors import InputError
from ..schema import Lesson, TrainingReport
from ..schema.record import Count, Positive, Share, Unit
from ..seams import StageJob
from . import adapter
from .checks import check_lessons
from .divergence import first_and_last
from .limits import check_rows, limits_of
from .on_policy import counting, fitting_batch, prompt_row
from .options import GradientStage
from .self_teacher import TEACHER, put_start_on_disk, taught_by_start
from .session import Session, finish, report, session, train
from .sft import resample, row_of, supervised_tokens

TEMPLATE = "{question}\n\nA worked solution:\n{rationale}\n\nNow answer the question in your own words."


@dataclass(frozen=True)
class SDFTStage(GradientStage):
    """The student answers each lesson's question and moves towards what it would say on reading the text."""

    name: ClassVar[str] = "sdft"

    learning_rate: Positive = 1e-4
    """The peak; 1e-5 suits all weights."""
    teacher: Literal["start", "ema"] = "ema"
    """`start` is the student as it is when the stage begins, `ema` follows it from there."""
    update_rate: Share = 0.05
    """Of `ema`: the share of the way to the student that the teacher goes after each step."""
    beta: Unit = 0.0
    """Which divergence: 0 is the forward KL, KL(teacher || student), 1 the reverse one, between them a Jensen-Shannon
    divergence from the mixture that has `beta` parts of the teacher. (TRL calls it alpha.)"""
    top_k: Count | None = None
    """Compare the student's likeliest tokens alone, and all others as one; if left out, the whole vocabulary."""
    skip_first: int = 3
    """Tokens at the beginning of an answer that are not learnt: there the teacher speaks of what it has read."""
    template: str = TEMPLATE
    """What the teacher is asked, with {question} and {rationale}."""
    temperature: Positive = 1.0
    """Of the sampling, and of both distributions in the loss."""
    max_new_tokens: Count = 256
    """Length limit of a sampled answer."""
    batch_size: Count = 8
    """Answers a device samples and learns from at once."""

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        return {
            **super().options,
            "per_device_train_batch_size": self.batch_size,
            "num_generations": 1,
            "distillation_alpha": self.beta,
            "distillation_mode": "full_logits" if self.top_k is None else "topk_logits",
            "distillation_topk": self.top_k,
            "distillation_add_tail": self.top_k is not None,
            "num_loss_tokens_to_skip": self.skip_first,
            "teacher_prompt_template": self.template.replace("{question}", "{prompt}").replace(
                "{rationale}", "{privileged_context}"
            ),
            "teacher_model_kind": "base" if self.teacher == "start" else "ema",
            "teacher_update_rate": self.update_rate,
            "temperature": self.temperature,
            "max_completion_length": self.max_new_tokens,
            "max_prompt_length": None,  # else TRL cuts off the beginning, and with it the question
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.skip_first < 0:
            raise InputError(f"stages: sdft: skip_first: {self.skip_first} is no number of tokens; use for instance 3")
        if self.skip_first >= self.max_new_tokens:
            raise InputError("stages: sdft: skip_first: leaves nothing of max_new_tokens; lower it")
        if "teacher_sync_steps" in (self.extra or {}):
            raise InputError("stages: sdft: extra: teacher_sync_steps: the teacher follows each step; use update_rate")
        self._check_template()
        adapter.check_options(self.name, "sdft", self.options, self.extra or {})

    def _check_template(self) -> None:
        lacking = [name for name in ("{question}", "{rationale}") if name not in self.template]
        if lacking:
            raise InputError(f"stages: sdft: template: lacks {lacking[0]}; put it where the text is to stand")
        try:
            self.template.format(question="", rationale="")
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise InputError(
                f"stages: sdft: template: braces hold {error} where only {{question}} and {{rationale}} are known; "
                "double those that are text"
            ) from error

    def run(self, job: StageJob) -> TrainingReport:
        """Train on the job's lessons and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start cannot be loaded.
            RunError: If a lesson is too long to be shown, training fails, or the checkpoint is not what was trained.
        """
        check_lessons(job.lessons, 1)
        rows = [hinted_row(lesson) for lesson in resample(job.lessons, job.seed)]
        with session(self.name, job, rows, self.trained, report_to=self.report_to) as work:
            self._check_context(work)
            trainer = self._trainer(work)
            seconds = train(trainer, job.out)
            model = adapter.plain_model(trainer)
            if TEACHER in getattr(model, "peft_config", {}):
                model.delete_adapter(TEACHER)
            finish(work, trainer)
            losses = adapter.logged(trainer, "loss")
            divergences = first_and_last(dict(enumerate(adapter.logged(trainer, "sdft/distillation_loss"))))
            return report(work, trainer, supervised_tokens(trainer), losses, train_seconds=seconds, **divergences)

    def _check_context(self, work: Session) -> None:
        """Require that the teacher can read question, text and answer: TRL would run on beyond its context.

        Raises:
            RunError: Naming the first lesson that is too long.
        """
        shown = []
        for row in work.setup.rows:
            *before, asked = row["prompt"]
            text = self.template.format(question=asked["content"], rationale=row["privileged_context"])
            shown.append({"prompt": [*before, {**asked, "content": text}], "problem_id": row["problem_id"]})
        check_rows(work.setup.tokenizer, limits_of(work.setup.model.config), shown, room=self.max_new_tokens)

    def _trainer(self, work: Session) -> Any:
        if self.mode == "full":
            put_start_on_disk(work)
        batch = fitting_batch(self.batch_size, len(work.setup.rows), self.parts)
        options = {**self.options, "per_device_train_batch_size": batch}
        fixed = self.teacher == "start"
        if fixed and self.mode == "lora" and work.setup.lora is None:  # it goes on with the start's adapter
            options["teacher_model_kind"] = "ema"

        def wrap(trainer_class: Any) -> Any:
            return taught_by_start(0.0 if fixed else self.update_rate)(counting(trainer_class))

        return adapter.build_trainer("sdft", work.setup, options, self.extra or {}, wrap=wrap)


def hinted_row(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as a row of SDFT: the question, and the text that only the teacher reads.

    Raises:
        RunError: If the lesson has no text.
    """
    row_of(lesson)
    return {**prompt_row(lesson), "privileged_context": lesson.text.strip()}
