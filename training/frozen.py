"""Frozen weights, held in the arithmetic that they are used in.

Under autocast a frozen float32 weight is cast to bfloat16 anew in each step: autocast remembers only what is trained.
Casting once gives the same numbers in less time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def cast_once(trainer: Any) -> Iterator[None]:
    """Hold the frozen linear weights of an adapted model in bfloat16 while it trains; they come back as they were.

    Does nothing without autocast, without an adapter or where weights are sharded over processes. What is tied to the
    input embeddings is left alone, since that would round the embeddings too.

    Args:
        trainer: A transformers trainer, before its training.
    """
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    tied = model.get_input_embeddings().weight
    applies = trainer.args.bf16 and hasattr(model, "peft_config") and trainer.accelerator.num_processes == 1
    layers = [layer for layer in model.modules() if applies and isinstance(layer, torch.nn.Linear)]
    frozen = [layer for layer in layers if not layer.weight.requires_grad and layer.weight is not tied]
    before = [layer.weight.data for layer in frozen]
    for layer in frozen:
        layer.weight.data = layer.weight.data.bfloat16()
    try:
        yield
    finally:
        for layer, weight in zip(frozen, before, strict=True):
            layer.weight.data = weight
