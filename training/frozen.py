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

    Does nothing without autocast, without an adapter or where weights are sharded over processes. A head that is tied
    to the input embeddings gets weights of its own meanwhile, so that the embeddings are not rounded.

    Args:
        trainer: A transformers trainer, before its training.
    """
    import torch
    from peft.helpers import disable_input_dtype_casting

    model = trainer.accelerator.unwrap_model(trainer.model)
    applies = trainer.args.bf16 and hasattr(model, "peft_config") and trainer.accelerator.num_processes == 1
    layers = [layer for layer in model.modules() if applies and isinstance(layer, torch.nn.Linear)]
    frozen = [layer for layer in layers if not layer.weight.requires_grad]
    before = [layer.weight for layer in frozen]
    for layer in frozen:
        layer.weight = torch.nn.Parameter(layer.weight.data.bfloat16(), requires_grad=False)
    try:
        with disable_input_dtype_casting(model, active=applies):  # to the adapter's float32, which autocast undoes
            yield
    finally:
        for layer, weight in zip(frozen, before, strict=True):
            layer.weight = weight
