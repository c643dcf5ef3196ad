"""What stages have in common that learn from the student's own answers, and how many tokens of answers were seen."""

from __future__ import annotations

from typing import Any

from ..schema import Lesson
from . import adapter
from .session import prompt_of


def prompt_row(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson's question as a TRL row: the student is asked as it is examined."""
    return {"prompt": prompt_of(lesson), "problem_id": lesson.problem_id}


def fitting_batch(batch_size: int, rows: int, gradient_accumulation: int) -> int:
    """Return the answers a device samples at once: TRL leaves out what does not fill a whole step, on all devices.

    Args:
        batch_size: As many at most.
        rows: Prompts there are.
        gradient_accumulation: Batches of a step.
    """
    return max(1, min(batch_size, rows // (gradient_accumulation * adapter.processes())))


def counting(trainer_class: Any) -> Any:
    """Return a subclass of a TRL trainer that counts the tokens of the answers it learns from, on this process.

    Its batches must have a `completion_mask`, as those of distillation, SDFT and DPO have.
    """

    class Counting(trainer_class):  # type: ignore[misc]
        supervised_tokens = 0

        def compute_loss(self, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
            self.supervised_tokens += int(inputs["completion_mask"].sum())
            return super().compute_loss(model, inputs, *given, **named)

    return Counting
