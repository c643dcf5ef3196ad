"""The student of a run as an ordinary Hugging Face folder, which needs nothing of Tutelage."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ..checkpoints import load_model, load_tokenizer, quiet, read_note, require_base, weights_of
from ..errors import InputError, first_line
from ..rundir import RunDir
from ..schema import CycleReport
from ..strategies import FILE as STRATEGIES
from .chosen import chosen_student
from .folder import new_folder, require_new
from .student_card import student_card

_OURS = {"tutelage.json", "training.json", "losses.json", "README.md"}
"""What only a run has a use for."""
_PATTERNS = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")


def export_student(rundir: RunDir, folder: Path, *, cycle: int | None = None) -> CycleReport:
    """Write a student's weights, tokenizer and generation settings, with a model card.

    Full weights are copied as they are; an adapter is merged into the base student, in float32.

    Args:
        rundir: The run.
        folder: Where to; must not exist, or be empty.
        cycle: The cycle that made the student; None is the best one.

    Returns:
        The report of the cycle that made it.

    Raises:
        InputError: If there is no such student, its base is not where it was, or something is in the way.
    """
    require_new(folder)
    report = chosen_student(rundir, cycle)
    checkpoint = rundir.path / report.student
    if not checkpoint.is_dir():
        raise InputError(f"{checkpoint}: is gone; name another cycle with --cycle")
    note, weights = read_note(checkpoint), weights_of(checkpoint)
    if weights is not None and not weights.is_dir():
        raise InputError(f"{weights}: is gone, and {checkpoint} has no weights of its own; name another --cycle")
    base = Path(note.base)
    adapter = weights is not None and read_note(weights).kind == "adapter"
    if adapter or weights is None:  # full weights are whole without their base
        _require_there(checkpoint, base)
    card = student_card(rundir, report, note)
    with new_folder(folder) as made:
        _merge(base, checkpoint, made) if adapter else _copy(weights or base, made)
        if (checkpoint / STRATEGIES).is_file():
            shutil.copyfile(checkpoint / STRATEGIES, made / STRATEGIES)
        _settle_generation(made)
        card.save(made / "README.md")
    return report


def _require_there(checkpoint: Path, base: Path) -> None:
    if not base.is_dir():
        raise InputError(f"{checkpoint}: its base student {base} is gone; put it back or edit `base` in tutelage.json")
    require_base(checkpoint, base)


def _merge(base: Path, checkpoint: Path, made: Path) -> None:
    model = load_model(base, checkpoint, dtype="float32", device="cpu", merge=True)
    with quiet():
        model.save_pretrained(made)
    load_tokenizer(base).save_pretrained(made)


def _copy(weights: Path, made: Path) -> None:
    for pattern in _PATTERNS:
        for path in weights.glob(pattern):
            if path.name not in _OURS and not path.name.startswith("adapter_"):
                shutil.copyfile(path, made / path.name)  # what a link of the hub's cache leads to, not the link
    if not (made / "tokenizer_config.json").is_file():
        raise InputError(f"{weights}: has no tokenizer; train the checkpoint again")


def _settle_generation(made: Path) -> None:
    """Let generation end where the student's turn ends, as it did in the run's exams."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(made, local_files_only=True)
        if (made / "generation_config.json").is_file():
            settings = GenerationConfig.from_pretrained(made)
        else:
            settings = GenerationConfig.from_model_config(AutoConfig.from_pretrained(made, local_files_only=True))
    except (OSError, ValueError) as error:
        raise InputError(f"the student cannot be loaded: {first_line(error)}") from error
    ends = settings.eos_token_id
    known = [ends] if isinstance(ends, int) else list(ends or ())
    if tokenizer.eos_token_id not in known:
        settings.eos_token_id = [tokenizer.eos_token_id, *known]
    if settings.pad_token_id is None:
        settings.pad_token_id = tokenizer.pad_token_id
    settings.save_pretrained(made)
