"""The options that all stages with an optimizer have, in our names and in TRL's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..errors import InputError, did_you_mean
from ..schema.record import Count, NotNegative, Positive
from . import adapter
from .layers import WHOLE, Band
from .memory import halve
from .reporting import check_report_to
from .session import check_fields


@dataclass(frozen=True)
class GradientStage:
    """A stage that trains weights by gradients."""

    name: ClassVar[str]

    learning_rate: Positive = 5e-4
    """The peak; 1e-4 to 5e-4 suits an adapter, a tenth of that all weights."""
    epochs: Positive = 1.0
    """Passes over the lessons, unless another option says when to end."""
    max_steps: Count | None = None
    """Optimizer steps."""
    mode: adapter.Mode = "lora"
    """`lora` trains an adapter, `full` the weights themselves."""
    rank: Count = 16
    """Of a new adapter."""
    alpha: Count = 32
    """Of a new adapter; updates are scaled by alpha / rank."""
    modules: Sequence[str] = ()
    """Names of the linear layers that are trained, such as `down_proj`. If this and `band` are left out: in mode `lora`
    those of the adapter that the stage starts from, or all where there is none; in mode `full` all weights."""
    band: Band = WHOLE
    """The part of the student's depth that is trained: [0.5, 1.0] is its upper half."""
    scheduler: str = "linear"
    """Of the learning rate, by its name in transformers."""
    warmup_steps: int = 3
    """Steps until the peak."""
    weight_decay: NotNegative = 0.0
    """Of AdamW."""
    gradient_accumulation: Count | Literal["auto"] = 1
    """Batches that an optimizer step adds up, to save memory. `auto`: as many as memory makes necessary; the batch is
    then what a step takes, and it is cut."""
    max_grad_norm: NotNegative = 1.0
    """Gradients are clipped to this length."""
    report_to: Sequence[str] = ()
    """Trackers that get the loss and all else that TRL logs at each step, such as `[tensorboard]` or `[wandb]`; their
    files lie in the run directory, in a folder of the tracker's name."""
    extra: dict[str, Any] | None = None
    """Further arguments of TRL's configuration by name."""

    @property
    def trained(self) -> adapter.Trained:
        """What of the student is trained."""
        low, high = self.band
        return adapter.Trained(self.mode, self.rank, self.alpha, tuple(self.modules), (low, high))

    @property
    def parts(self) -> int:
        """Batches that an optimizer step adds up, before memory has a say."""
        return 1 if self.gradient_accumulation == "auto" else self.gradient_accumulation

    def halved(self) -> dict[str, Any] | None:
        """Return the options of the same step with half the batch; None if it cannot be cut."""
        batch: int | None = getattr(self, "batch_size", None)
        if batch is None:
            return {"gradient_accumulation": 2 * self.parts}
        cut = halve(batch, self.parts)
        return None if cut is None else {"batch_size": cut[0], "gradient_accumulation": cut[1]}

    @property
    def options(self) -> dict[str, Any]:
        """The options in TRL's names."""
        return {
            "learning_rate": self.learning_rate,
            "num_train_epochs": self.epochs,
            "max_steps": -1 if self.max_steps is None else self.max_steps,
            "lr_scheduler_type": self.scheduler,
            "warmup_steps": self.warmup_steps,
            "weight_decay": self.weight_decay,
            "gradient_accumulation_steps": self.parts,
            "max_grad_norm": self.max_grad_norm,
            "report_to": list(self.report_to),
        }

    def check(self) -> None:
        """Raise InputError if the options cannot work, without loading a model."""
        from transformers.trainer_utils import SchedulerType

        check_fields(self)
        if self.scheduler not in set(SchedulerType):
            near = did_you_mean(self.scheduler, [one.value for one in SchedulerType])
            raise InputError(f"stages: {self.name}: scheduler: there is no {self.scheduler!r}; {near}")
        check_report_to(self.name, self.report_to)
        low, high = self.band
        if not 0.0 <= low < high <= 1.0:
            raise InputError(
                f"stages: {self.name}: band: [{low:g}, {high:g}] is no part of [0, 1]; use for instance [0.5, 1.0]"
            )
