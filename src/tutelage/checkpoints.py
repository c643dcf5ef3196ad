"""What a checkpoint folder is: full weights, a LoRA adapter over the run's base student, or strategies beside either.

Beside the weights lies `tutelage.json`: which of these it is, the base it belongs to and the stages that made it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from .errors import InputError, first_line
from .hashing import content_hash
from .jsonl import read_json, write_json
from .schema import SCHEMA_VERSION, Record

NOTE = "tutelage.json"
PAD_CANDIDATES = ("<|pad|>", "<pad>", "[PAD]", "<|endoftext|>", "<|finetune_right_pad_id|>")
Kind = Literal["full", "adapter", "strategies"]


class CheckpointNote(Record):
    """The content of `tutelage.json`."""

    schema_version: int = SCHEMA_VERSION
    kind: Kind
    base: str
    """The base student's folder when this was written."""
    fingerprint: str
    """Tells whether a folder is that base student."""
    stages: tuple[str, ...] = ()
    """The training stages since the base, oldest first."""
    weights: str | None = None
    """Of strategies: the checkpoint whose weights they go with, relative to the folder; None is the base student."""


def fingerprint(base: Path) -> str:
    """Name a model by its configuration and the names and sizes of its weight files; reads no weights.

    Raises:
        InputError: If the folder holds no model.
    """
    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{base}: no readable config.json; give the folder of a Hugging Face model") from error
    weights = {path.name: path.stat().st_size for path in sorted(base.glob("*.safetensors"))}
    return content_hash(config, weights)


def read_note(checkpoint: Path) -> CheckpointNote:
    """Return what a checkpoint says of itself.

    Raises:
        InputError: If the folder is not a checkpoint of Tutelage.
    """
    if not (checkpoint / NOTE).is_file():
        raise InputError(f"{checkpoint}: no {NOTE}; give `base` or a checkpoint folder of a run")
    try:
        return CheckpointNote.model_validate(read_json(checkpoint / NOTE))
    except ValidationError as error:
        raise InputError(f"{checkpoint / NOTE}: {error.errors()[0]['msg']}; train the checkpoint again") from error


def base_of(folder: Path) -> Path | None:
    """Return the base student's folder of a run's checkpoint; None if the folder is not such a checkpoint.

    Raises:
        InputError: If it is one, but its base is not where it was or is another one now.
    """
    if not (folder / NOTE).is_file():
        return None
    note = read_note(folder)
    base = Path(note.base)
    if not base.is_dir():
        raise InputError(f"{folder}: its base student {base} is gone; put it back or edit `base` in {NOTE}")
    require_base(folder, base)
    return base


def require_base(checkpoint: Path, base: Path) -> None:
    """Require that a checkpoint was made from a base student.

    Raises:
        InputError: If it was not, or the folder is not a checkpoint of Tutelage.
    """
    if read_note(checkpoint).fingerprint != fingerprint(base):
        raise InputError(f"{checkpoint}: made from another base student than {base}; use the one of its run")


def weights_of(checkpoint: Path) -> Path | None:
    """Return the folder of the weights that a checkpoint goes with, most often itself; None is the base student.

    Raises:
        InputError: If the folder is not a checkpoint of Tutelage.
    """
    note = read_note(checkpoint)
    if note.kind != "strategies":
        return checkpoint
    return None if note.weights is None else (checkpoint / note.weights).resolve()


def note_strategies(folder: Path, *, base: Path, weights: str | None, start: Path | None) -> None:
    """Make a folder with a library of strategies a checkpoint.

    Args:
        folder: Holds the library.
        base: The base student's folder.
        weights: The checkpoint whose weights it goes with, relative to the folder; None is the base.
        start: The checkpoint before, whose stages came first.
    """
    earlier = () if start is None else read_note(start).stages
    note = CheckpointNote(
        kind="strategies",
        base=str(base),
        fingerprint=fingerprint(base),
        stages=(*earlier, "strategies"),
        weights=weights,
    )
    write_json(folder / NOTE, note.model_dump(mode="json"))


def set_stages(folder: Path, stages: Sequence[str]) -> None:
    """Write anew which stages made a checkpoint, the oldest first."""
    note = read_note(folder).model_copy(update={"stages": tuple(stages)})
    write_json(folder / NOTE, note.model_dump(mode="json"))


def load_model(base: Path, checkpoint: Path | None, *, dtype: str, device: str, merge: bool) -> Any:
    """Load a student.

    Args:
        base: The base student's folder.
        checkpoint: None is the base itself.
        dtype: Name of the weights' torch type, such as `float32`.
        device: A torch device.
        merge: True gives plain weights to generate with (an adapter is merged in float32, then cast); False leaves
            an adapter apart and trainable.

    Returns:
        A transformers model, or a PeftModel if the checkpoint is an adapter and `merge` is False.

    Raises:
        InputError: If a folder is missing, or the checkpoint belongs to another base.
    """
    import torch

    kind: Kind = "full"
    checkpoint = None if checkpoint is None else weights_of(checkpoint)
    if checkpoint is not None:
        require_base(checkpoint, base)
        kind = read_note(checkpoint).kind
    with quiet():
        if kind == "full":
            model = _plain_model(base if checkpoint is None else checkpoint, dtype)
        else:
            model = _adapted_model(base, checkpoint, dtype, merge)
    return model.to(torch.device(device))


def load_model_config(folder: Path) -> Any:
    """Return the configuration of a model in a folder, as transformers has it; no weights are read.

    Raises:
        InputError: If transformers does not know it.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: cannot be loaded: {first_line(error)}") from error


def _plain_model(folder: Path, dtype: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: cannot be loaded: {first_line(error)}") from error


def _adapted_model(base: Path, adapter: Path | None, dtype: str, merge: bool) -> Any:
    import torch
    from peft import PeftModel

    if not merge:
        return PeftModel.from_pretrained(_plain_model(base, dtype), adapter, is_trainable=True)
    model = PeftModel.from_pretrained(_plain_model(base, "float32"), adapter)
    merged = model.merge_and_unload(safe_merge=True).to(getattr(torch, dtype))
    return merged.requires_grad_(True)  # peft froze the weights under the adapter


def save_checkpoint(
    model: Any,
    folder: Path,
    *,
    base: Path,
    stages: Sequence[str],
    tokenizer: Any = None,
    state_dict: dict[str, Any] | None = None,
) -> CheckpointNote:
    """Write a model as a checkpoint: the adapter alone if it is a PeftModel, else all weights with the tokenizer.

    Args:
        model: What was trained, unwrapped.
        folder: Where to; made if it does not exist.
        base: The base student's folder.
        stages: The stages since the base, this one included.
        tokenizer: Saved beside full weights, so that the folder works on its own.
        state_dict: Gathered weights, where training was sharded.
    """
    from peft import PeftModel

    adapter = isinstance(model, PeftModel)
    with quiet():
        model.save_pretrained(folder, **({} if state_dict is None else {"state_dict": state_dict}))
    (folder / "README.md").unlink(missing_ok=True)  # peft's model card: a form with nothing filled in
    if tokenizer is not None and not adapter:
        tokenizer.save_pretrained(folder)
    note = CheckpointNote(
        kind="adapter" if adapter else "full", base=str(base), fingerprint=fingerprint(base), stages=tuple(stages)
    )
    write_json(folder / NOTE, note.model_dump(mode="json"))
    return note


def load_tokenizer(base: Path) -> Any:
    """Load the base student's tokenizer, ready for batches.

    Padding is on the left. The padding token differs from the end-of-turn token where the vocabulary allows: a
    collator that masks padding would else mask the end of the answer, and the student would never learn to stop.
    The `eos_token` is the token that ends an assistant turn in the chat template.

    Raises:
        InputError: If the tokenizer cannot be loaded or has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{base}: no tokenizer: {first_line(error)}") from error
    if not tokenizer.chat_template:
        raise InputError(f"{base}: its tokenizer has no chat template; take an instruction-tuned student")
    tokenizer.padding_side = "left"
    tokenizer.eos_token = _end_of_turn(tokenizer, base)
    tokenizer.pad_token = _pad_token(tokenizer)
    return tokenizer


def _end_of_turn(tokenizer: Any, base: Path) -> str:
    """Return the special token that the chat template puts after an answer; the eos token if it is among several."""
    question, answer = {"role": "user", "content": "x"}, {"role": "assistant", "content": "zq"}
    text = tokenizer.apply_chat_template([question, answer], tokenize=False)
    if "zq" not in text:
        raise InputError(f"{base}: its chat template drops what the student answers; mend chat_template in that folder")
    tail = tokenizer(text[text.rindex("zq") + 2 :], add_special_tokens=False)["input_ids"]
    ends = [token for token in tail if token in tokenizer.all_special_ids or token in tokenizer.added_tokens_decoder]
    if not ends:
        raise InputError(f"{base}: its chat template ends an answer with no special token; set one in the template")
    if tokenizer.eos_token_id in ends:
        return str(tokenizer.eos_token)
    return str(tokenizer.convert_ids_to_tokens(ends[0]))


def _pad_token(tokenizer: Any) -> str:
    if tokenizer.pad_token is not None and tokenizer.pad_token != tokenizer.eos_token:
        return str(tokenizer.pad_token)
    known = tokenizer.get_vocab()
    for token in (*PAD_CANDIDATES, tokenizer.unk_token):
        if token is not None and token in known and token != tokenizer.eos_token:
            return str(token)
    return str(tokenizer.eos_token)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars off the terminal for a while."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
