"""How far the student is from its teacher on what it says itself, at the start of training and at its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from .ends import tenth


def with_divergence(trainer_class: Any) -> Any:
    """Return a subclass of TRL's DistillationTrainer that notes the reverse KL of the first and the last steps.

    That is the mean over the sampled tokens of KL(student || teacher) at temperature 1, in nats, whatever divergence
    is trained on. Where it is what is trained on, it is the loss; else it is scored once more, at these steps alone.
    """

    class WithDivergence(trainer_class):  # type: ignore[misc]
        beta: float
        temperature: float
        divergences: dict[int, float]
        """By step."""

        def train(self, *given: Any, **named: Any) -> Any:
            self.divergences = defaultdict(float)
            return super().train(*given, **named)

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            step, steps = self.state.global_step, self.state.max_steps
            if not return_outputs and (step < tenth(steps) or step >= steps - tenth(steps)):
                self.divergences[step] += self._reverse_kl(model, inputs, loss)
            return loss

        def _reverse_kl(self, model: Any, inputs: dict[str, Any], loss: Any) -> float:
            """Return this batch's part of the step's mean: TRL divides by the tokens of all accumulated batches."""
            import torch

            before = self.beta, self.temperature
            if before != (1.0, 1.0):
                try:
                    self.beta, self.temperature = 1.0, 1.0
                    with torch.no_grad():
                        loss = super().compute_loss(model, inputs)
                finally:
                    self.beta, self.temperature = before
            return float(self.accelerator.reduce(loss.detach(), reduction="mean"))

    return WithDivergence


def first_and_last(values: Mapping[int, float]) -> dict[str, float]:
    """Return the means over the first and the last tenth of the steps, named as divergences.

    Args:
        values: By step; those between may be missing.
    """
    steps = max(values) + 1
    some = tenth(steps)
    return {
        "first_divergence": fmean(value for step, value in values.items() if step < some),
        "last_divergence": fmean(value for step, value in values.items() if step >= steps - some),
    }
