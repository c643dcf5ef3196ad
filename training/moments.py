"""Second moments of what goes into a model's layers, collected from texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

BATCH_SIZE = 16
"""Texts that are run at once."""


class Moments:
    """The second moments of layers' inputs; layers that are given the same input share one."""

    def __init__(self, layers: Sequence[Any]) -> None:
        """Watch these layers."""
        self._layers = layers
        self._sums: dict[Any, Any] = {}
        self._sharing: dict[Any, Any] = {}
        self._counted: Any = None
        self._latest: tuple[Any, Any] = (None, None)
        self._tokens = 0

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add up the inputs of the layers, without a gradient, while the context lasts."""
        import torch

        hooks = [layer.register_forward_pre_hook(self._add) for layer in self._layers]
        try:
            with torch.no_grad():
                yield
        finally:
            for hook in hooks:
                hook.remove()

    def run(self, model: Any, batch: Mapping[str, Any]) -> None:
        """Run a batch of `input_ids` and `attention_mask`, each (batch, tokens), padded on the right.

        The first token of a row is not counted: its activations are massive and the same in every text, so it would
        outweigh all others (Sun et al. 2024, arXiv 2402.17762).
        """
        inputs = {name: value.to(model.device) for name, value in batch.items()}
        self._counted = inputs["attention_mask"].bool()
        self._counted[:, 0] = False
        self._tokens += int(self._counted.sum())
        model(**inputs, use_cache=False, logits_to_keep=1)

    def of(self, layer: Any) -> Any:
        """Return a layer's G, (inputs, inputs)."""
        return self._sums[self._sharing[layer]] / self._tokens

    def _add(self, layer: Any, inputs: tuple[Any, ...]) -> None:
        import torch

        if inputs[0] is not self._latest[0]:
            counted = inputs[0][self._counted].float()
            with torch.autocast(counted.device.type, enabled=False):
                self._sums[layer] = self._sums.get(layer, 0) + counted.T @ counted
            self._latest = (inputs[0], layer)
        self._sharing[layer] = self._latest[1]


def batches(rows: Sequence[Mapping[str, Any]], tokenizer: Any) -> Iterator[Mapping[str, Any]]:
    """Yield rows of like length as padded token ids."""
    texts = [
        tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        + row["completion"][0]["content"]
        + tokenizer.eos_token
        for row in rows
    ]
    ordered = sorted(texts, key=len)
    for start in range(0, len(ordered), BATCH_SIZE):
        chosen = ordered[start : start + BATCH_SIZE]
        yield tokenizer(chosen, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False)
