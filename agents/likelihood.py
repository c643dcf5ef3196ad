"""How likely a student is to write a given text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model_thread import leave_if_cancelled

PAD_LABEL = -100
MOST_TOKENS = 1024
"""Tokens in one forward pass: the scores over a vocabulary of 150,000 then take 0.6 GB, three times as the loss is
computed."""


def mean_logprobs(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], batch_size: int
) -> list[float]:
    """Return the mean log-probability per target token, given the prompt and the target's beginning.

    Args:
        model: A causal language model in evaluation mode.
        tokenizer: Its tokenizer; only the padding token is used.
        prompts: Token ids that come before each target; at least one.
        targets: Token ids that are scored, each at least one.
        batch_size: Rows in one forward pass.
    """
    lengths = [len(prompt) + len(target) for prompt, target in zip(prompts, targets, strict=True)]
    order = sorted(range(len(targets)), key=lambda row: -lengths[row])
    means, start = [0.0] * len(targets), 0
    while start < len(order):
        leave_if_cancelled()
        rows = max(1, min(batch_size, MOST_TOKENS // lengths[order[start]]))
        batch = order[start : start + rows]
        start += rows
        found = _batch(model, tokenizer.pad_token_id, [prompts[i] for i in batch], [targets[i] for i in batch])
        for row, mean in zip(batch, found, strict=True):
            means[row] = mean
    return means


def _batch(model: Any, pad: int, prompts: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> list[float]:
    """Score rows that are padded on the right, (rows, tokens)."""
    import torch

    rows = [torch.tensor([*prompt, *target]) for prompt, target in zip(prompts, targets, strict=True)]
    labels = [torch.tensor([PAD_LABEL] * len(p) + list(t)) for p, t in zip(prompts, targets, strict=True)]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad).to(model.device)
    wanted = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=PAD_LABEL).to(model.device)[:, 1:]
    attended = torch.arange(tokens.shape[1], device=model.device) < torch.tensor(
        [[len(row)] for row in rows], device=model.device
    )
    with torch.inference_mode():
        logits = model(input_ids=tokens, attention_mask=attended.long()).logits[:, :-1].float()
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), wanted, ignore_index=PAD_LABEL, reduction="none"
        )
    counts = (wanted != PAD_LABEL).sum(1)
    return [float(mean) for mean in -losses.sum(1) / counts]
