"""Which layers a stage trains: linear ones by name, in a band of the model's depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..checkpoints import load_model_config
from ..errors import InputError

Band = tuple[float, float]
"""From where to where, as shares of the depth: (0.5, 1.0) is the upper half of the layers."""
WHOLE: Band = (0.0, 1.0)


def chosen_layers(model: Any, modules: Sequence[str], band: Band) -> list[str]:
    """Return the full names of the linear layers that are named so and lie in a band.

    Args:
        model: A causal LM of transformers.
        modules: The last parts of their names, such as `down_proj`; none means all but the head.
        band: A layer is in it if the middle of it is.

    Raises:
        InputError: If there are none: nothing could be trained.
    """
    blocks = _blocks(model)
    named = [
        name
        for name, layer in model.named_modules()
        if _is_linear(layer) and (modules or layer is not model.get_output_embeddings()) and _named(name, modules)
    ]
    within = tuple(f"{block}." for block in _within(blocks, band))
    found = [name for name in named if band == WHOLE or name.startswith(within)]
    if not found:
        raise InputError(_nothing_in(band, modules, blocks) if named else _nothing_named(modules, model))
    return found


def _nothing_named(modules: Sequence[str], model: Any) -> str:
    """Say that no linear layer is named so, whatever the band."""
    known = sorted({name.rpartition(".")[2] for name, layer in model.named_modules() if _is_linear(layer)})
    named = f" named {', '.join(modules)}" if modules else ""
    return (
        f"modules: the student has no linear layers{named}, so nothing would be trained; it has "
        f"{', '.join(known) or 'none at all'}"
    )


def _nothing_in(band: Band, modules: Sequence[str], blocks: Sequence[str]) -> str:
    """Say that no layer is in the band, though there are such layers elsewhere."""
    what = f"layers named {', '.join(modules)}" if modules else "linear layers"
    return (
        f"band: the student has no {what} in the band {band[0]:g} to {band[1]:g} of its {len(blocks)} blocks, so "
        "nothing would be trained; a block is in a band that holds its middle, so widen it"
    )


def skeleton(base: Path) -> Any:
    """Return a model of a folder's architecture, without weights.

    Raises:
        InputError: If the folder has no configuration that transformers knows.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(load_model_config(base))


def adapted_layers(checkpoint: Path) -> set[str]:
    """Return the full names of the layers that a saved adapter is put on."""
    from safetensors.torch import load_file

    names = [name.removeprefix("base_model.model.") for name in load_file(checkpoint / "adapter_model.safetensors")]
    return {name.partition(".lora_A.")[0] for name in names if ".lora_A." in name}


def freeze_others(model: Any, layers: Sequence[str]) -> None:
    """Let only these layers' weights be trained."""
    model.requires_grad_(False)
    for name in layers:
        model.get_submodule(name).requires_grad_(True)


def _blocks(model: Any) -> list[str]:
    """Return the names of the model's blocks in their order: the outermost list of as many modules as it has layers."""
    from torch.nn import ModuleList

    depth = model.config.get_text_config().num_hidden_layers
    for name, module in model.named_modules():
        if isinstance(module, ModuleList) and len(module) == depth:
            return [f"{name}.{number}" for number in range(depth)]
    return []


def _within(blocks: Sequence[str], band: Band) -> list[str]:
    low, high = band
    return [name for number, name in enumerate(blocks) if low <= (number + 0.5) / len(blocks) <= high]


def _named(name: str, modules: Sequence[str]) -> bool:
    return not modules or any(name == one or name.endswith(f".{one}") for one in modules)


def _is_linear(layer: Any) -> bool:
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    return isinstance(layer, Linear | Conv1D)
