"""Task arithmetic: what one stage did to the weights is added to other weights (Ilharco et al. 2023, arXiv 2212.04089).

All sums are float32. A LoRA adapter over the base student is a low-rank change of its layers, so a sum of adapters is
an adapter again, their matrices side by side; anything else is added up as full weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..checkpoints import load_model, read_note, require_base, weights_of
from ..errors import RunError


@dataclass(frozen=True)
class Vector:
    """The difference of two checkpoints of one base student; None is the base student itself."""

    before: Path | None
    after: Path


@dataclass(frozen=True)
class Sum:
    """A student with a vector added."""

    model: Any
    """A transformers model, or a PeftModel if all that is in the sum is adapters."""
    norm: float
    """Euclidean length of the vector over all weights, unscaled."""
    held: float
    """How much of the vector the student had before: (now - before) . v / v . v, 1 where all of it, 0 where nothing."""
    factor: float
    """How often it was added."""


def add_vector(base: Path, now: Path | None, vector: Vector, scale: float, *, restore: bool = False) -> Sum:
    """Return a student's weights plus `scale` times a vector, on the CPU.

    Args:
        base: The base student's folder.
        now: The student's checkpoint; None is the base student.
        vector: What is added.
        scale: How often it is added.
        restore: Add it only as often as is missing to `scale`: what the student holds of it counts.

    Raises:
        RunError: If a checkpoint is gone.
        InputError: If a checkpoint belongs to another base student.
    """
    folders = {name: _weights(path, base) for name, path in _named(now, vector).items() if path is not None}
    found = {name: folder for name, folder in folders.items() if folder is not None}
    if all(read_note(folder).kind == "adapter" for folder in found.values()):
        return _sum_of_adapters(base, found, scale, restore)
    return _sum_of_weights(base, found, scale, restore)


def _named(now: Path | None, vector: Vector) -> dict[str, Path | None]:
    return {"now": now, "after": vector.after, "before": vector.before}


def _weights(checkpoint: Path, base: Path) -> Path | None:
    if not checkpoint.is_dir():
        raise RunError(
            f"{checkpoint}: this checkpoint of an earlier cycle is gone; put it back, or leave the stage out"
        )
    require_base(checkpoint, base)
    return weights_of(checkpoint)


def _sum_of_weights(base: Path, folders: Mapping[str, Path], scale: float, restore: bool) -> Sum:
    """Add up all weights; those that are tied are one."""
    now, after, before = (_merged(base, folders.get(name)) for name in ("now", "after", "before"))
    later, earlier = dict(after.named_parameters()), dict(before.named_parameters())
    size = overlap = 0.0
    for name, weight in now.named_parameters():
        moved = later[name].data.sub_(earlier[name].data)  # from here on `later` is the vector
        size += _dot(moved, moved)
        overlap += _dot(weight.data - earlier[name].data, moved)
    found = _measured(now, size, overlap, scale, restore)
    for name, weight in now.named_parameters():
        weight.data.add_(later[name].data, alpha=found.factor)
    return found


def _measured(model: Any, size: float, overlap: float, scale: float, restore: bool) -> Sum:
    """Return what is known of a sum from v . v and (now - before) . v."""
    held = overlap / size if size else 0.0
    return Sum(model, size**0.5, held, max(0.0, scale - held) if restore else scale)


def _merged(base: Path, checkpoint: Path | None) -> Any:
    return load_model(base, checkpoint, dtype="float32", device="cpu", merge=True)


def _sum_of_adapters(base: Path, folders: Mapping[str, Path], scale: float, restore: bool) -> Sum:
    """Add up adapters: the sum has as many ranks as they have together.

    Where those are more than a layer could ever use, full weights are smaller, and are returned.
    """
    from peft import PeftModel

    model = _merged(base, None)
    for number, (name, folder) in enumerate(folders.items()):
        if number:
            model.load_adapter(folder, adapter_name=name)
        else:
            model = PeftModel.from_pretrained(model, folder, adapter_name=name)
    found = _measured(model, *_lengths(model), scale, restore)
    factors = {"now": 1.0, "after": found.factor, "before": -found.factor}
    model.add_weighted_adapter([*folders], [factors[name] for name in folders], "default", combination_type="cat")
    model.set_adapter("default")
    for name in folders:
        model.delete_adapter(name)
    if any(min(a.in_features, b.out_features) < a.out_features for a, b in _pairs(model)):
        return replace(found, model=model.merge_and_unload(safe_merge=True))
    return found


def _lengths(model: Any) -> tuple[float, float]:
    """Return v . v and (now - before) . v over the adapted layers."""
    size = overlap = 0.0
    for layer in _adapted(model):
        update = {name: layer.get_delta_weight(name) for name in layer.lora_A}
        nothing = 0.0 * next(iter(update.values()))
        now, after, before = (update.get(name, nothing) for name in ("now", "after", "before"))
        size += _dot(after - before, after - before)
        overlap += _dot(now - before, after - before)
    return size, overlap


def _adapted(model: Any) -> list[Any]:
    from peft.tuners.lora import LoraLayer

    return [layer for layer in model.modules() if isinstance(layer, LoraLayer)]


def _pairs(model: Any) -> list[tuple[Any, Any]]:
    """Return A and B of each adapted layer."""
    return [(layer.lora_A["default"], layer.lora_B["default"]) for layer in _adapted(model)]


def _dot(left: Any, right: Any) -> float:
    """Return the inner product of two tensors, added up in float64."""
    return float((left.double() * right.double()).sum())
