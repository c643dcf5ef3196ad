"""The loss of supervised fine-tuning where there is no Triton: TRL's own, without its waste.

TRL 1.16 fuses the head and the loss in a Triton kernel. On a CPU the same code scores every position, prompts and
padding included, in float32 and twice (forward and backward); with SmolLM2 that took a quarter of a step. Here only the
positions that some row of the batch is supervised at are scored. The number is the same; a test compares them.
"""

from __future__ import annotations

import inspect
from typing import Any

from .checks import IGNORED


def without_triton(trainer_class: Any) -> Any:
    """Return a subclass of TRL's SFTTrainer that scores only supervised positions, on one CPU process."""

    class SupervisedPositions(trainer_class):  # type: ignore[misc]
        supervised_tokens = 0
        """Seen in training so far, on this process."""

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            self.supervised_tokens += int((inputs["labels"][:, 1:] != IGNORED).sum())  # nothing predicts the first
            if return_outputs or not _applies(self, inputs):
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            return supervised_loss(model, inputs, num_items_in_batch)

    return SupervisedPositions


def supervised_loss(model: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> Any:
    """Return the summed negative log-likelihood of the labels over the number of supervised tokens.

    Args:
        model: A causal LM whose forward takes `logits_to_keep`.
        inputs: `input_ids`, `attention_mask` and `labels`, each (batch, tokens).
        num_items_in_batch: Supervised tokens of the whole step, over all accumulated batches; None counts these.
    """
    from torch.nn.functional import cross_entropy

    labels = inputs["labels"][:, 1:]
    kept = (labels != IGNORED).any(dim=0).nonzero()[:, 0]  # token t is predicted at position t - 1
    others = {name: value for name, value in inputs.items() if name != "labels"}
    logits = model(**others, logits_to_keep=kept, use_cache=False).logits
    wanted = labels[:, kept]
    mask = wanted != IGNORED
    total = cross_entropy(logits[mask].float(), wanted[mask], reduction="sum")
    return total / (mask.sum() if num_items_in_batch is None else num_items_in_batch)


def _applies(trainer: Any, inputs: dict[str, Any]) -> bool:
    plain = trainer.args.loss_type == "nll" and trainer.label_smoother is None and not trainer.aux_loss_enabled
    alone = trainer.accelerator.device.type == "cpu" and trainer.accelerator.num_processes == 1
    core = trainer.accelerator.unwrap_model(trainer.model)
    core = core.get_base_model() if hasattr(core, "get_base_model") else core
    return plain and alone and "labels" in inputs and "logits_to_keep" in inspect.signature(core.forward).parameters
