"""Drift: how far an adapter moves the outputs of its layers on what the base student knows, as a share of them.

Training on the base student's own answers, or on the divergence from them, spends steps and pulls at the weights even
where nothing is forgotten. What a layer does to its inputs can be held at no such cost: with G the second moment of
the inputs over rehearsed conversations, W the base weight and D the adapter's update, the mean square change of its
output is E|Dx|^2 = tr(D G D^T), against E|Wx|^2. The update stays free in the directions that these do not use.
(Adam-NSCL, Wang et al. 2021, arXiv 2103.07113, keeps updates to those directions alone, by the same G; here leaving
them has a price instead.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RunError
from .moments import Moments, batches

PERIOD = 3
"""Steps from one pull of the drift to the next, which is as many times as strong: the drift changes slowly."""


@dataclass(frozen=True)
class Term:
    """One adapted layer: its update is `scaling * up @ down`."""

    down: Any
    """The adapter's A, (rank, inputs)."""
    up: Any
    """The adapter's B, (outputs, rank)."""
    moment: Any
    """G, the mean of x x^T, (inputs, inputs), float32."""
    factor: float
    """scaling^2 / E|Wx|^2."""

    def value(self) -> Any:
        """Return tr(D G D^T) / E|Wx|^2, by the small matrices A G A^T and B^T B.

        G is symmetric, so that the two A of A G A^T have the same gradient: one is taken as constant, which saves
        multiplying by G again, and the other counts twice.
        """
        down, up = self.down.float(), self.up.float()
        constant = down.detach()
        return self.factor * ((constant @ self.moment @ (2 * down - constant).T) * (up.T @ up)).sum()


class Drift:
    """The drift of a student from the base student, summed over the adapted layers."""

    def __init__(self, model: Any, tokenizer: Any, rows: Sequence[Mapping[str, Any]], weight: float) -> None:
        """Run the base student over rehearsed answers and collect the moments.

        Args:
            model: A PEFT model with one LoRA adapter, all of it in memory.
            tokenizer: Of the student, with a chat template.
            rows: The base student's own answers to general questions, as TRL rows: prompt and completion as messages.
            weight: Of the drift, beside the loss of the lessons.

        Raises:
            RunError: If there is nothing to rehearse, no adapter, or an adapted layer is not run.
        """
        if not rows:
            raise RunError("drift: there is nothing to rehearse; set retention.rehearse")
        layers = _adapted_layers(model)
        if not layers:
            raise RunError("drift: the student has no adapter on a linear layer; use mode lora")
        moments = Moments(layers)
        with moments.collecting(), model.disable_adapter():
            for batch in batches(rows, tokenizer):
                moments.run(model, batch)
        self._terms = [_term(layer, moments) for layer in layers]
        self._weight = weight

    def value(self) -> Any:
        """Return the drift, a scalar."""
        import torch

        with torch.autocast(self._terms[0].moment.device.type, enabled=False):
            return torch.stack([term.value() for term in self._terms]).sum()

    def pull(self) -> Any:
        """Return a scalar that is 0 and has the gradient of the weighted drift, for a loss that stays what it was."""
        weighted = self._weight * self.value()
        return weighted - weighted.detach()


def with_drift(trainer_class: Any) -> Any:
    """Return a subclass of a transformers trainer whose `drift`, once set, pulls at every third step.

    The loss that is logged is the lessons' alone.
    """

    class WithDrift(trainer_class):  # type: ignore[misc]
        drift: Drift | None = None

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if self.drift is None or return_outputs or self.state.global_step % PERIOD:
                return loss
            return loss + PERIOD * self.drift.pull() / self.current_gradient_accumulation_steps

    return WithDrift


def _adapted_layers(model: Any) -> list[Any]:
    from peft.tuners.lora import Linear

    return [layer for layer in model.modules() if isinstance(layer, Linear)]


def _term(layer: Any, moments: Moments) -> Term:
    (name,) = layer.active_adapters
    moment = moments.of(layer)
    factor = layer.scaling[name] ** 2 / moments.size(layer)
    return Term(layer.lora_A[name].weight, layer.lora_B[name].weight, moment, factor)
