"""A teacher whose weights are at hand: it can score every token that the student might have said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints import load_tokenizer, quiet
from ..errors import InputError, first_line
from ..hub import hub_folder
from .session import Session

BASE = "base"
"""As a teacher's name: the base student, the recipe against forgetting."""


@dataclass(frozen=True)
class WhiteBox:
    """A frozen model and its tokenizer, whose `eos_token` ends a turn."""

    folder: Path
    model: Any
    tokenizer: Any


def load_teacher(stage: str, name: str, work: Session) -> WhiteBox:
    """Load a teacher from safetensors, to the student's device; no code of its own is run.

    Args:
        stage: Named in errors.
        name: `base`, a folder, or an id of the Hugging Face hub.
        work: The stage at work.

    Raises:
        InputError: If there is no such model, it has no safetensors, or no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM

    folder = teacher_folder(stage, name, work.job.base)
    kind = torch.bfloat16 if work.setup.precision == "bfloat16" else torch.float32
    try:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=kind, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        tokenizer = load_tokenizer(folder)
    except (OSError, ValueError) as error:
        raise InputError(f"stages: {stage}: teacher: {name}: cannot be loaded: {first_line(error, 200)}") from error
    return WhiteBox(folder, model.requires_grad_(False).eval().to(work.setup.device), tokenizer)


def teacher_folder(stage: str, name: str, base: Path) -> Path:
    """Return the folder of a model that is here, in the Hugging Face cache, or on the hub.

    Args:
        stage: Named in errors.
        name: As for `load_teacher`.
        base: The base student's folder.

    Raises:
        InputError: If there is no such model.
    """
    if name == BASE:
        return base
    if Path(name).is_dir():
        return _whole(stage, Path(name))
    try:
        return _whole(stage, hub_folder(name))
    except (OSError, ValueError) as error:
        raise InputError(
            f"stages: {stage}: teacher: {name!r} is no folder here and cannot be had from the Hugging Face hub "
            f"({first_line(error, 200)}); give a folder, a hub id or {BASE!r}"
        ) from error


def _whole(stage: str, folder: Path) -> Path:
    """Return a folder that holds a model, not an adapter alone.

    Raises:
        InputError: If it has no configuration of a model.
    """
    if not (folder / "config.json").is_file():
        what = "holds an adapter alone" if (folder / "adapter_config.json").is_file() else "holds no model"
        raise InputError(
            f"stages: {stage}: teacher: {folder}: {what}; give a folder with whole weights (an adapter is merged into "
            "its model by peft's merge_and_unload and save_pretrained)"
        )
    return folder
