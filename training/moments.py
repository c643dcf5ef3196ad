"""Second moments of what goes into a model's layers, collected from texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import RunError
from ..prefix import prefix_cache, shared_length

BATCH_SIZE = 32
"""Texts that are run at once."""


class Moments:
    """What goes into layers and comes out of them; layers that are given the same input share its moment."""

    def __init__(self, layers: Sequence[Any]) -> None:
        """Watch these layers."""
        self._layers = layers
        self._inputs: dict[Any, Any] = {}
        self._outputs: dict[Any, Any] = dict.fromkeys(layers, 0.0)
        self._sharing: dict[Any, Any] = {}
        self._latest: tuple[Any, Any] = (None, None)
        self._counted: Any = None
        self._times = 1
        self._tokens = 0

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add up what the layers see and say, without a gradient, while the context lasts."""
        import torch

        hooks = [layer.register_forward_hook(self._add) for layer in self._layers]
        try:
            with torch.no_grad():
                yield
        finally:
            self._latest = (None, None)
            for hook in hooks:
                hook.remove()

    def run(self, model: Any, batch: Mapping[str, Any]) -> None:
        """Run a batch of `input_ids` and `attention_mask`, each (batch, tokens), padded on the right.

        What all rows begin with is run once, and counts once a row. The very first token is not counted: its
        activations are massive and the same in every text, so it would outweigh all others (Sun et al. 2024, arXiv
        2402.17762).
        """
        tokens, attended = batch["input_ids"].to(model.device), batch["attention_mask"].to(model.device)
        counted = attended.bool()
        counted[:, 0] = False
        shared = min(shared_length(tokens, attended), tokens.shape[1] - 1)
        self._count(counted[:1, :shared], times=len(tokens))
        cache = prefix_cache(model, tokens[:1, :shared], len(tokens))
        counted[:, :shared] = False
        start = 0 if cache is None else shared
        self._count(counted[:, start:], times=1)
        model.get_decoder()(
            input_ids=tokens[:, start:],
            attention_mask=attended,
            past_key_values=cache,
            use_cache=cache is not None,
        )

    def of(self, layer: Any) -> Any:
        """Return a layer's G, the mean of x x^T, (inputs, inputs), float32.

        Raises:
            RunError: If the layer was not run.
        """
        if layer not in self._sharing:
            raise RunError("drift: an adapted layer was not run on any rehearsed text; name other layers in modules")
        return self._inputs[self._sharing[layer]] / self._tokens

    def size(self, layer: Any) -> float:
        """Return the mean square of a layer's output, E|Wx|^2."""
        return float(self._outputs[layer]) / self._tokens

    def _count(self, counted: Any, times: int) -> None:
        self._counted, self._times = counted, times
        self._tokens += times * int(counted.sum())

    def _add(self, layer: Any, inputs: tuple[Any, ...], output: Any) -> None:
        import torch

        with torch.autocast(output.device.type, enabled=False):
            self._outputs[layer] += self._times * (self._of_counted(output) - _bias(layer)).square().sum()
            if inputs[0] is not self._latest[0]:
                seen = self._of_counted(inputs[0])
                self._inputs[layer] = self._inputs.get(layer, 0) + self._times * (seen.T @ seen)
                self._latest = (inputs[0], layer)
        self._sharing[layer] = self._latest[1]

    def _of_counted(self, values: Any) -> Any:
        """Return the values of the counted tokens, (tokens, width), of all tokens in two dimensions or in three."""
        rows = values.flatten(0, -2).float()
        if len(rows) != self._counted.numel():
            raise RunError("drift: a layer sees some tokens only, as experts do; name other layers in modules")
        return rows[self._counted.flatten()]


def _bias(layer: Any) -> Any:
    bias = layer.base_layer.bias
    return 0.0 if bias is None else bias.detach().float()


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
