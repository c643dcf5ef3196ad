"""The anchor: general questions, at which the student stays as near to the base student as training lets it.

Imitating the base student's own answers pulls at the weights even where nothing is forgotten, since one sampled answer
is not the distribution it came from. The divergence from that distribution is 0 at the start, and grows only with what
is lost (the KL term of learning without forgetting, Li and Hoiem 2017, arXiv 1606.09282, on the base student's own
text). With an adapter the base student is the same model with the adapter switched off: no second one is in memory.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..errors import RunError
from .checks import IGNORED
from .loss import short_attention, supervised_logits


class Anchor:
    """Rehearsed answers, in batches that come round and round."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], tokenizer: Any, batch_size: int, weight: float, seed: int
    ) -> None:
        """Tokenise the answers.

        Args:
            rows: The base student's own answers to general questions, as TRL rows: prompt and completion as messages.
            tokenizer: Of the student, with a chat template.
            batch_size: Answers compared at once.
            weight: Of the divergence, beside the loss of the lessons.
            seed: Of the order.

        Raises:
            RunError: If there are none.
        """
        if not rows:
            raise RunError("anchor: there is nothing to rehearse; set retention.rehearse")
        drawn = random.Random(seed).sample(list(rows), len(rows))
        encoded = sorted((_row(row, tokenizer) for row in drawn), key=lambda row: len(row[0]))
        batches = [encoded[start : start + batch_size] for start in range(0, len(encoded), batch_size)]
        random.Random(seed).shuffle(batches)
        self._batches = [_batch(batch, tokenizer.pad_token_id) for batch in batches]
        self._weight, self._at = weight, 0
        self.divergences: list[float] = []

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._batches)

    def loss(self, model: Any, adapted: Any) -> Any:
        """Return the weighted divergence of the next batch, in nats a token.

        Args:
            model: What is run: the student, perhaps wrapped by the trainer.
            adapted: The same, unwrapped: a PEFT model, whose adapter can be switched off.
        """
        inputs = {name: value.to(adapted.device) for name, value in self._batches[self._at].items()}
        self._at = (self._at + 1) % len(self._batches)
        value = divergence(model, adapted, inputs)
        self.divergences.append(float(value.detach()))
        return self._weight * value


def divergence(model: Any, adapted: Any, inputs: dict[str, Any]) -> Any:
    """Return KL(base || student), the mean over the supervised tokens.

    Args:
        model: The student, perhaps wrapped.
        adapted: The same as a PEFT model.
        inputs: `input_ids`, `attention_mask` and `labels`, each (batch, tokens), padded on the right.
    """
    import torch
    from torch.nn.functional import kl_div

    with short_attention(inputs["input_ids"]):
        with torch.no_grad(), adapted.disable_adapter():
            wanted, _ = supervised_logits(model, inputs)
        made, _ = supervised_logits(model, inputs)
    return kl_div(made.log_softmax(-1), wanted.log_softmax(-1), log_target=True, reduction="batchmean")


def anchored(trainer_class: Any, anchor: Anchor) -> Any:
    """Return a subclass of a transformers trainer that adds the anchor's loss to some of its batches.

    To as many that each of the anchor's batches comes once an epoch, or to all of them.
    """

    class Anchored(trainer_class):  # type: ignore[misc]
        _batches_seen = 0

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            batches = len(self.train_dataset) // self.args.train_batch_size
            due = self._batches_seen % max(1, batches // len(anchor)) == 0
            self._batches_seen += 1
            if return_outputs or not due:
                return loss
            return loss + anchor.loss(model, self.accelerator.unwrap_model(self.model))

    return Anchored


def _row(row: Mapping[str, Any], tokenizer: Any) -> tuple[list[int], int]:
    """Return a row's token ids, and how many of them are its prompt's."""
    text = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    answer = tokenizer(row["completion"][0]["content"], add_special_tokens=False)["input_ids"]
    return [*prompt, *answer, tokenizer.eos_token_id], len(prompt)


def _batch(rows: Sequence[tuple[list[int], int]], padding: int) -> dict[str, Any]:
    import torch
    from torch.nn.utils.rnn import pad_sequence

    pad = partial(pad_sequence, batch_first=True)
    ids = [torch.tensor(tokens) for tokens, _ in rows]
    labels = [torch.tensor([IGNORED] * asked + tokens[asked:]) for tokens, asked in rows]
    return {
        "input_ids": pad(ids, padding_value=padding),
        "attention_mask": pad([torch.ones_like(tokens) for tokens in ids]),
        "labels": pad(labels, padding_value=IGNORED),
    }
