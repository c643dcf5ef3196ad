"""Decoding in stretches: a row that has ended leaves the batch, so that long answers do not hold up short ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..prefix import can_select

if TYPE_CHECKING:
    import torch

STRETCH = 12
"""Tokens between two looks at who has ended."""


def decode(
    model: Any,
    tokens: torch.Tensor,
    attended: torch.Tensor,
    cache: Any,
    limit: int,
    end: int,
    options: Mapping[str, Any],
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return each row's new tokens and their log-probabilities; what follows the end-of-turn token is of no account.

    Args:
        model: A causal LM.
        tokens: Prompts, padded on the left, (batch, tokens).
        attended: 1 where a token is attended to, (batch, tokens).
        cache: What the model remembers of a beginning that all rows share, or None.
        limit: New tokens at most.
        end: The end-of-turn token.
        options: Further arguments of the model's `generate`.
    """
    import torch
    from transformers import LogitsProcessorList

    live = torch.arange(len(tokens), device=tokens.device)
    ended = torch.zeros_like(live, dtype=torch.bool)
    parts: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[] for _ in range(len(tokens))]
    while limit > 0 and not ended.all():
        width, recorder = tokens.shape[1], _LogprobRecorder()
        made = model.generate(
            input_ids=tokens,
            attention_mask=attended,
            past_key_values=cache,
            max_new_tokens=min(STRETCH, limit),
            eos_token_id=end,
            logits_processor=LogitsProcessorList([recorder]),
            return_dict_in_generate=True,
            **options,
        )
        tokens, cache, limit = made.sequences, made.past_key_values, limit - STRETCH
        new, logprobs = tokens[:, width:], recorder.finish(tokens)
        for row, ids, scores in zip(live.tolist(), new, logprobs, strict=True):
            parts[row].append((ids, scores))
        ended |= (new == end).any(dim=1)
        attended = torch.nn.functional.pad(attended, (0, new.shape[1]), value=1)
        if can_select(cache):
            going = (~ended).nonzero()[:, 0]
            cache.batch_select_indices(going)
            live, ended, tokens, attended = live[going], ended[going], tokens[going], attended[going]
    return [(torch.cat([ids for ids, _ in row]), torch.cat([scores for _, scores in row])) for row in parts]


class _LogprobRecorder:
    """Keeps the log-probability of each chosen token, without keeping a step's logits longer than one step."""

    def __init__(self) -> None:
        self._last: torch.Tensor | None = None
        self._chosen: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Note what the last step chose; transformers calls it with ids (batch, length), scores (batch, vocabulary)."""
        if self._last is not None:
            self._note(input_ids[:, -1])
        self._last = scores.float().log_softmax(dim=-1)
        return scores

    def finish(self, output: torch.Tensor) -> torch.Tensor:
        """Return the log-probabilities, (batch, new tokens)."""
        import torch

        self._note(output[:, -1])
        return torch.stack(self._chosen, dim=1)

    def _note(self, tokens: torch.Tensor) -> None:
        assert self._last is not None
        self._chosen.append(self._last.gather(1, tokens[:, None])[:, 0])
