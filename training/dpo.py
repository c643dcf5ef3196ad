"""Direct preference optimisation (arXiv 2305.18290): the verified rationale against the student's own wrong attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..checkpoints import load_model
from ..errors import InputError, RunError
from ..schema import Lesson, TrainingReport
from ..schema.record import Count, NotNegative, Positive
from ..seams import StageJob
from . import adapter
from .ends import ends
from .limits import limits_of
from .on_policy import counting
from .options import GradientStage
from .session import Session, finish, prompt_of, report, session, train
from .sft import resample, row_of, supervised_tokens
from .unchanged import pass_on

Loss = Literal[
    "sigmoid", "sigmoid_norm", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "bco_pair", "sppo_hard", "aot",
    "aot_unpaired", "apo_zero", "apo_down", "discopop",
]  # fmt: skip
REFERENCE = "ref"
"""TRL's name of a second adapter that is the reference."""


@dataclass(frozen=True)
class DPOStage(GradientStage):
    """Of each lesson's text and the wrong attempt it corrects, the student comes to prefer the text.

    Lessons without a wrong attempt are left out.
    """

    name: ClassVar[str] = "dpo"

    learning_rate: Positive = 5e-5
    """The peak; a tenth of it suits all weights."""
    beta: Positive = 0.1
    """How much the student is held to where the stage started: more is closer."""
    loss_type: Loss = "sigmoid"
    """By its name in TRL; `sigmoid` is DPO's own."""
    sft_weight: NotNegative = 0.2
    """Weight, beside it, of the mean negative log-likelihood of the lessons' texts: without it both texts often become
    less likely, only the wrong one faster."""
    batch_size: Count = 8
    """Lessons a device takes at once; each is two texts."""
    max_length: Count = 1024
    """Tokens of question and text at most; a lesson that does not fit is an error, a wrong attempt is cut, as it is at
    the end of the student's context."""

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        losses: dict[str, Any] = {"loss_type": [self.loss_type]}
        if self.sft_weight:
            losses = {"loss_type": [self.loss_type, "sft"], "loss_weights": [1.0, self.sft_weight]}
        return {
            **super().options,
            "per_device_train_batch_size": self.batch_size,
            "beta": self.beta,
            "max_length": self.max_length,
            **losses,
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        super().check()
        if self.loss_type == "exo_pair" and not (self.extra or {}).get("label_smoothing"):
            raise InputError("stages: dpo: loss_type: exo_pair needs label_smoothing in extra; set it to 1e-3")
        adapter.check_options(self.name, "dpo", self.options, self.extra or {})

    def run(self, job: StageJob) -> TrainingReport:
        """Train on the job's lessons that have a wrong attempt, and leave a checkpoint in `job.out`.

        Raises:
            InputError: If the start cannot be loaded.
            RunError: If training fails, or the checkpoint is not what was trained.
        """
        pairs = paired(job.lessons)
        if not pairs:
            return pass_on(self.name, job, f"none of {len(job.lessons)} lessons has a wrong attempt to set against it")
        rows = [pair_of(lesson) for lesson in resample(pairs, job.seed)]
        with session(self.name, job, rows, self.trained, report_to=self.report_to) as work:
            context = limits_of(work.setup.model.config).context or self.max_length
            options = {**self.options, "max_length": min(self.max_length, context)}
            trainer = adapter.build_trainer(
                "dpo", work.setup, options, self.extra or {}, wrap=counting, **self._reference(work)
            )
            check_pairs(trainer, work.setup.tokenizer, rows, self.max_length)
            seconds = train(trainer, job.out)
            model = adapter.plain_model(trainer)
            if REFERENCE in getattr(model, "peft_config", {}):
                model.delete_adapter(REFERENCE)
            finish(work, trainer)
            metrics = {"left_out": len(job.lessons) - len(pairs), "train_seconds": seconds, **summary(trainer)}
            return report(work, trainer, supervised_tokens(trainer), adapter.logged(trainer, "loss"), **metrics)

    def _reference(self, work: Session) -> dict[str, Any]:
        """Return what the trainer needs for its reference to be the start.

        Under an adapter TRL has it: the weights without a new one, a copy of one that it goes on with. Without, it
        would load the folder that the model came from, which is not the start where an adapter was merged.
        """
        if self.mode == "lora":
            return {}
        job, device = work.job, work.setup.device
        return {"ref_model": load_model(job.base, job.start, dtype="float32", device=device, merge=True)}


def paired(lessons: Sequence[Lesson]) -> list[Lesson]:
    """Return the lessons that have a wrong attempt which is not their own text."""
    return [one for one in lessons if one.wrong.strip() and one.wrong.strip() != one.text.strip()]


def pair_of(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as a TRL row: prompt, chosen and rejected as messages.

    Raises:
        RunError: If its text is empty.
    """
    chosen = row_of(lesson)["completion"]
    rejected = [{"role": "assistant", "content": lesson.wrong.strip()}]
    return {"prompt": prompt_of(lesson), "chosen": chosen, "rejected": rejected, "problem_id": lesson.problem_id}


def check_pairs(trainer: Any, tokenizer: Any, rows: Sequence[dict[str, Any]], max_length: int) -> None:
    """Require of the trainer's own tokenised rows that each lesson's text is whole, with its end.

    Raises:
        RunError: Naming the first lesson that is not.
    """
    data = trainer.train_dataset
    left = set(data["problem_id"])
    short = [row["problem_id"] for row in rows if row["problem_id"] not in left]  # TRL has left it out
    for name, prompt, chosen in zip(data["problem_id"], data["prompt_ids"], data["chosen_ids"], strict=True):
        if tokenizer.eos_token_id not in chosen:
            raise RunError(f"lesson {name}: the chat template puts no {tokenizer.eos_token} after an answer; mend it")
        if len(prompt) + len(chosen) > max_length:
            short.append(name)
    if short:
        raise RunError(f"lesson {short[0]}: its question and text do not fit; raise the stage's max_length")


def summary(trainer: Any) -> dict[str, float]:
    """Return how much likelier than the wrong ones the texts have become, over the first and the last tenth of steps.

    A margin is beta times the difference of the two log-likelihood ratios to the start (DPO, section 4).
    """
    figures: dict[str, float] = {}
    for name, logged in {
        "margin": "rewards/margins",
        "preferred": "rewards/accuracies",
        "text_logprob": "logps/chosen",
        "wrong_logprob": "logps/rejected",
    }.items():
        figures[f"first_{name}"], figures[f"last_{name}"] = ends(adapter.logged(trainer, logged))
    return figures
