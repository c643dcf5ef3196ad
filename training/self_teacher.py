"""The student as its own teacher or reference, as it was where a stage started: a second adapter, or weights on disk.

What TRL takes for the start is the weights without any adapter, or those in the folder that a model came from. Neither
is the start where a stage goes on with an adapter, or has merged one.
"""

from __future__ import annotations

from typing import Any

from ..checkpoints import quiet, read_note, weights_of
from .session import Session

TEACHER = "teacher"
"""TRL's name of a second adapter that teaches."""


def adapter_teacher(model: Any, update_rate: float) -> Any:
    """Return a trainer callback that keeps a second adapter: the student's as it was, drawn after it step by step.

    After each step each of its weights becomes `(1 - update_rate) * weight + update_rate * student's`. TRL's own begins
    with zeros, which is the base student and not the start.

    Args:
        model: A PEFT model with one adapter, `default`.
        update_rate: In [0, 1]; with 0 it stays what the student was.
    """
    from transformers import TrainerCallback

    class AdapterTeacher(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            model.add_adapter(TEACHER, model.peft_config["default"])
            model.set_adapter("default")
            follow_adapter(model, 1.0)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if update_rate:
                follow_adapter(model, update_rate)

    return AdapterTeacher()


def follow_adapter(model: Any, share: float) -> None:
    """Move the teaching adapter's weights so far towards the student's."""
    for name, weight in model.named_parameters():
        if ".default." in name:
            model.get_parameter(name.replace(".default.", f".{TEACHER}.")).data.lerp_(weight.data, share)


def taught_by_start(update_rate: float) -> Any:
    """Return what makes a subclass of TRL's SDFTTrainer whose second adapter, where it has one, begins at the start."""

    def wrap(trainer_class: Any) -> Any:
        class TaughtByStart(trainer_class):  # type: ignore[misc]
            def _setup_teacher_model(self) -> None:
                if not self._use_peft_ema_teacher_adapter():
                    super()._setup_teacher_model()
                    return
                self.teacher_model = self.model
                self.add_callback(adapter_teacher(self.accelerator.unwrap_model(self.model), update_rate))

        return TaughtByStart

    return wrap


def put_start_on_disk(work: Session) -> None:
    """Let TRL find the start's weights, which it loads again from where the model came from, if they are not there.

    Args:
        work: A stage at work that trains full weights, before its trainer is built.
    """
    start = None if work.job.start is None else weights_of(work.job.start)
    if start is None or read_note(start).kind == "full":
        return
    folder = work.setup.folder / "start"
    with quiet():
        work.setup.model.save_pretrained(folder)
    work.setup.model.config._name_or_path = str(folder)
