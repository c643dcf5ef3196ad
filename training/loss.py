"""The loss of supervised fine-tuning where there is no Triton: TRL's own, without its waste.

TRL 1.16 fuses the head and the loss in a Triton kernel. On a CPU the same code scores every position, prompts and
padding included, in float32 and twice (forward and backward). Here only the supervised positions are scored, and the
tokens that all prompts of a batch begin with are run once, not once a row. The number and its gradient are the same in
float32; tests compare them with a plain computation and with TRL's.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from ..prefix import prefix_cache, shared_length, takes_prefix
from .checks import IGNORED

SHORT = 256
"""Tokens up to which a row is attended to by plain matrix products. torch's fused attention on a CPU is slower at these
lengths; with long rows it saves the memory that the plain one takes."""

SCALES = ("final_logit_softcapping", "logit_scale", "logits_scaling", "output_multiplier", "lm_head_multiplier")
"""What the configurations of transformers call a change of the logits behind the head."""


def without_triton(trainer_class: Any) -> Any:
    """Return a subclass of TRL's SFTTrainer that runs shared prompts once and scores only supervised positions.

    Where that would not give TRL's own number, it does what TRL does.
    """

    class SupervisedPositions(trainer_class):  # type: ignore[misc]
        supervised_tokens = 0
        """Seen in training so far, on this process."""

        @cached_property
        def scores_apart(self) -> bool:
            """Whether this training can be scored so."""
            model = self.accelerator.unwrap_model(self.model)
            with self.accelerator.autocast():
                return _plain_training(self) and takes_prefix(model) and has_plain_head(model)

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            self.supervised_tokens += int((inputs["labels"][:, 1:] != IGNORED).sum())  # nothing predicts the first
            if return_outputs or not self.scores_apart or not _is_plain(inputs):
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            with short_attention(inputs["input_ids"]), self.accelerator.autocast():
                return supervised_loss(model, inputs, num_items_in_batch)

        def supervised_log_probs(self, model: Any, inputs: dict[str, Any]) -> Any:
            """Return the log-probabilities of the supervised tokens, (tokens), in float32."""
            from torch.nn.functional import cross_entropy

            if not self.scores_apart or not _is_plain(inputs):
                given = {name: value for name, value in inputs.items() if name != "labels"}
                supervised = inputs["labels"][:, 1:] != IGNORED
                logits = model(**given).logits[:, :-1][supervised].float()
                return -cross_entropy(logits, inputs["labels"][:, 1:][supervised], reduction="none")
            with short_attention(inputs["input_ids"]), self.accelerator.autocast():
                return -cross_entropy(*supervised_logits(model, inputs), reduction="none")

    return SupervisedPositions


def supervised_loss(model: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> Any:
    """Return the summed negative log-likelihood of the labels over the number of supervised tokens.

    Args:
        model: A causal LM with a plain head.
        inputs: `input_ids`, `attention_mask` and `labels`, each (batch, tokens), padded on the right.
        num_items_in_batch: Supervised tokens of the whole step, over all accumulated batches; None counts these.
    """
    from torch.nn.functional import cross_entropy

    logits, labels = supervised_logits(model, inputs)
    total = cross_entropy(logits, labels, reduction="sum")
    return total / (len(labels) if num_items_in_batch is None else num_items_in_batch)


def supervised_logits(model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the float32 logits that predict the supervised tokens, (tokens, vocabulary), and those tokens, (tokens).

    Args:
        model: A causal LM with a plain head.
        inputs: As for `supervised_loss`.
    """
    tokens, attended = inputs["input_ids"], inputs["attention_mask"]
    shared = shared_prefix(tokens, attended, inputs["labels"])
    cache = prefix_cache(model, tokens[:1, :shared], len(tokens))
    shared = 0 if cache is None else shared
    labels = inputs["labels"][:, shared + 1 :]  # token t is predicted at position t - 1
    hidden = model.get_decoder()(
        input_ids=tokens[:, shared:],
        attention_mask=attended,
        past_key_values=cache,
        use_cache=cache is not None,
    ).last_hidden_state
    supervised = labels != IGNORED
    return model.get_output_embeddings()(hidden[:, :-1][supervised]).float(), labels[supervised]


def shared_prefix(tokens: Any, attended: Any, labels: Any) -> int:
    """Return how many tokens all rows begin with, leaving the one before the first supervised token to each row.

    Args:
        tokens: Token ids, (batch, tokens).
        attended: 1 where a token is attended to, (batch, tokens).
        labels: Labels, (batch, tokens).
    """
    free = (labels == IGNORED).all(dim=0)
    return max(0, min(shared_length(tokens, attended), int(free.long().cumprod(0).sum()) - 1))


def short_attention(tokens: Any) -> AbstractContextManager[Any]:
    """Attend by plain matrix products where token ids, (batch, tokens), are short rows on a CPU."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    plain = tokens.device.type == "cpu" and tokens.shape[1] <= SHORT
    return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()


def has_plain_head(model: Any) -> bool:
    """Whether a model's logits are its head on what its decoder gives; some models scale or cap them."""
    import torch

    if any(getattr(model.config, name, None) not in (None, 1, 1.0) for name in SCALES):
        return False
    tokens = torch.arange(1, 9, device=model.device)[None]
    with torch.no_grad():
        whole = model(input_ids=tokens).logits.float()
        apart = model.get_output_embeddings()(model.get_decoder()(input_ids=tokens).last_hidden_state).float()
    return whole.shape == apart.shape and torch.allclose(whole, apart, atol=1e-2)


def _is_plain(inputs: dict[str, Any]) -> bool:
    return set(inputs) <= {"input_ids", "attention_mask", "labels"} and "attention_mask" in inputs


def _plain_training(trainer: Any) -> bool:
    args = trainer.args
    plain = args.loss_type == "nll" and trainer.label_smoother is None and not trainer.aux_loss_enabled
    alone = trainer.accelerator.device.type == "cpu" and trainer.accelerator.num_processes == 1
    return plain and alone and not args.gradient_checkpointing
