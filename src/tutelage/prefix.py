"""Tokens that all rows of a batch begin with are run once: an instruction costs one row, not sixty-four."""

from __future__ import annotations

from typing import Any


def shared_length(tokens: Any, attended: Any) -> int:
    """Return how many tokens all rows begin with; 0 for a single row, which shares with none.

    Args:
        tokens: Token ids, (batch, tokens).
        attended: 1 where a token is attended to, (batch, tokens); padding on the left shares nothing.
    """
    alike = ((tokens == tokens[:1]) & (attended == 1)).all(dim=0)
    return int(alike.long().cumprod(0).sum()) if len(tokens) > 1 else 0


def prefix_cache(model: Any, tokens: Any, rows: int) -> Any:
    """Run a prefix once and return its keys and values for so many rows, part of the gradient's graph.

    Nothing is predicted from a prefix, so the model's head is not run.

    Args:
        model: A causal LM, not wrapped by a trainer: autocast is the caller's.
        tokens: The prefix, (1, tokens).
        rows: Rows that go on from it.

    Returns:
        A cache, or None if there is no prefix, or if the model does not remember by keys and values of all positions.
    """
    if tokens.shape[1] == 0:
        return None
    cache = getattr(model.get_decoder()(input_ids=tokens, use_cache=True), "past_key_values", None)
    if cache is None or not can_select(cache):
        return None
    cache.batch_repeat_interleave(rows)
    return cache


def can_select(cache: Any) -> bool:
    """Whether a cache is keys and values of all positions, so that rows can be repeated and dropped."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    return isinstance(cache, DynamicCache) and all(type(layer) is DynamicLayer for layer in cache.layers)


def takes_prefix(model: Any) -> bool:
    """Whether a model's decoder can be run without the head, as running a prefix alone needs."""
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    return core.get_decoder() is not core
