"""The one place that touches TRL: builds its configurations and trainers from our options.

TRL renames arguments between versions, so every name of its configuration classes stands here and nowhere else,
and a name that the installed version does not know is refused before anything is paid for.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError, RunError, did_you_mean, first_line
from .batches import in_alike_batches
from .drift import with_drift
from .finite import stops_at_nan
from .layers import WHOLE, Band
from .loss import without_triton

Mode = Literal["lora", "full"]
Kind = Literal["sft", "grpo", "dpo", "distill", "gold", "sdft"]
_TRAINERS: dict[Kind, tuple[str, str]] = {
    "sft": ("trl", "SFT"),
    "grpo": ("trl", "GRPO"),
    "dpo": ("trl", "DPO"),
    "distill": ("trl", "Distillation"),
    "gold": ("trl.experimental.gold", "GOLD"),
    "sdft": ("trl.experimental.sdft", "SDFT"),
}
"""In which module of TRL a kind of trainer is, and what its classes' names begin with."""

RESERVED = {
    "output_dir": "the run directory",
    "run_name": "the run directory's name, the cycle and the stage",
    "save_strategy": "the worker, which saves once",
    "disable_tqdm": "the log file",
    "logging_steps": "the training report, which needs every step",
    "use_cpu": "student.device",
    "bf16": "student.precision",
    "fp16": "student.precision",
    "seed": "the run's seed",
    "data_seed": "the run's seed",
    "push_to_hub": "nobody: a run publishes nothing",
    "trust_remote_code": "nobody: remote code is not run",
    "completion_only_loss": "the sft stage",
    "logging_nan_inf_filter": "the worker, which ends at such a loss",
    "gradient_checkpointing": "its newer name, activation_checkpointing",
    "auto_find_batch_size": "gradient_accumulation: auto, which keeps the step as it is",
    "eval_strategy": "the run, which examines each checkpoint itself",
}
"""Arguments of TRL that are not open to `extra`, and what decides them instead."""


_SETTLED = {"activation_checkpointing": False}
"""TRL turns it on by the name that transformers has given up. Small students need it not; `extra` may ask for it."""


@dataclass(frozen=True)
class Trained:
    """What of the student a stage trains."""

    mode: Mode
    rank: int
    alpha: int
    modules: tuple[str, ...]
    band: Band

    @property
    def everything(self) -> bool:
        """Whether no layer is left out."""
        return not self.modules and self.band == WHOLE


@dataclass(frozen=True)
class LoraOptions:
    """A low-rank adapter."""

    rank: int
    alpha: int
    """Updates are scaled by alpha / rank."""
    layers: tuple[str, ...] = ()
    """Full names of those it is put on; none means all linear ones."""


@dataclass(frozen=True)
class Setup:
    """What every trainer is built from."""

    model: Any
    tokenizer: Any
    rows: Sequence[Mapping[str, Any]]
    lora: LoraOptions | None
    """None trains what of the model takes gradients: its weights, or the adapter it came with."""
    device: str
    precision: str
    seed: int
    folder: Path
    """For the trainer's own files; nothing in it is kept."""
    title: str = ""
    """What trackers know the training by."""


def check_options(stage: str, kind: Kind, options: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
    """Refuse arguments that the installed TRL does not know or take, without loading a model.

    Args:
        stage: Named in the error.
        kind: Which configuration class is meant.
        options: What the stage itself passes on, in TRL's names.
        extra: What the user passes on, in TRL's names.

    Raises:
        InputError: On the first wrong name, or if TRL refuses the values.
    """
    config_class = _class(kind, "Config")
    known = set(inspect.signature(config_class).parameters)
    for name in extra:
        if name not in known:
            free = known - set(RESERVED) - set(options)
            raise InputError(
                f"stages: {stage}: extra: {name!r} is no argument of {config_class.__name__}; "
                f"{did_you_mean(name, free)}"
            )
        if name in RESERVED:
            raise InputError(f"stages: {stage}: extra: {name!r} is decided by {RESERVED[name]}; remove it")
        if name in options:
            raise InputError(f"stages: {stage}: extra: {name!r} has an option of the stage's own; use that")
    lacking = sorted(set(options) - known)
    if lacking:
        raise InputError(f"stages: {stage}: the installed TRL has no {lacking[0]!r}; install trl>=1.16,<1.17")
    try:
        given = {**_SETTLED, **options, **extra}
        config_class(output_dir="unused", use_cpu=True, bf16=False, **given)
    except (ValueError, TypeError) as error:
        raise InputError(f"stages: {stage}: {first_line(error)}") from error


def _class(kind: Kind, what: Literal["Config", "Trainer"]) -> Any:
    module, name = _TRAINERS[kind]
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # a warning that this part of TRL may change: it is pinned
    return getattr(import_module(module), name + what)


def _config(kind: Kind, setup: Setup, options: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
    """Return a TRL configuration: float32 weights, bfloat16 by autocast, every step logged, nothing saved.

    Nothing is sent either, unless the options have a `report_to`.
    """
    settings: dict[str, Any] = {
        **_SETTLED,
        "dataloader_pin_memory": setup.device.startswith("cuda"),
        "output_dir": str(setup.folder),
        "report_to": [],
        "run_name": setup.title or None,
        "save_strategy": "no",
        "logging_steps": 1,
        "logging_strategy": "steps",
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "use_cpu": setup.device == "cpu",
        "bf16": setup.precision == "bfloat16",
        "seed": setup.seed,
        "data_seed": setup.seed,
    }
    return _class(kind, "Config")(**{**settings, **options, **extra})


def sft_trainer(
    setup: Setup,
    options: Mapping[str, Any],
    extra: Mapping[str, Any],
    wrap: Callable[[Any], Any] = in_alike_batches,
) -> Any:
    """Return an SFTTrainer over rows with `prompt` and `completion`, loss on the completion alone.

    Its `drift` may be set to a `Drift`, which then pulls at the gradient.

    Args:
        setup: What it is built from.
        options: The stage's own, in TRL's names.
        extra: The user's, in TRL's names.
        wrap: Makes a subclass that decides the order of the lessons, and maybe the loss.

    Raises:
        RunError: If TRL refuses the combination of model, rows and arguments.
    """
    supervised = {**options, "completion_only_loss": True}
    return build_trainer("sft", setup, supervised, extra, wrap=lambda one: with_drift(wrap(without_triton(one))))


def build_trainer(
    kind: Kind,
    setup: Setup,
    options: Mapping[str, Any],
    extra: Mapping[str, Any],
    *,
    wrap: Callable[[Any], Any] = lambda trainer_class: trainer_class,
    **given: Any,
) -> Any:
    """Return a trainer of TRL.

    Args:
        kind: Which one.
        setup: What it is built from.
        options: The stage's own, in TRL's names.
        extra: The user's, in TRL's names.
        wrap: Makes a subclass of the trainer's class.
        **given: Further arguments of the trainer itself, such as `reward_funcs`.

    Raises:
        RunError: If TRL refuses the combination of model, rows and arguments.
    """
    return _built(wrap(_class(kind, "Trainer")), setup, args=_config(kind, setup, options, extra), **given)


def _built(trainer_class: Any, setup: Setup, **given: Any) -> Any:
    from datasets import Dataset
    from transformers import PrinterCallback

    _hush()
    try:
        trainer = stops_at_nan(_silent(trainer_class))(
            model=setup.model,
            train_dataset=Dataset.from_list([dict(row) for row in setup.rows]),
            processing_class=setup.tokenizer,
            peft_config=_lora(setup.lora),
            **given,
        )
    except (ValueError, TypeError) as error:
        raise RunError(f"{trainer_class.__name__}: {first_line(error)}") from error
    trainer.remove_callback(PrinterCallback)  # it prints every step to stdout, which belongs to `--json`
    return trainer


def _silent(trainer_class: Any) -> Any:
    """Return a subclass of a TRL trainer that does not report the model and the machine to its makers."""

    class Silent(trainer_class):  # type: ignore[misc]
        def _send_telemetry(self) -> None:
            pass

    return Silent


def _lora(lora: LoraOptions | None) -> Any:
    if lora is None:
        return None
    from peft import LoraConfig

    layers = list(lora.layers) or "all-linear"
    return LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=layers, task_type="CAUSAL_LM")


def _hush() -> None:
    """Keep the libraries' progress bars and chatter off the terminal."""
    import datasets
    from transformers.utils import logging as transformers_logging

    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    logging.getLogger("trl").setLevel(logging.WARNING)


def plain_model(trainer: Any) -> Any:
    """Return the trained model without what the trainer wrapped around it."""
    return trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)


def logged(trainer: Any, name: str) -> list[float]:
    """Return a logged figure by step."""
    return [float(entry[name]) for entry in trainer.state.log_history if name in entry]


def sharded(trainer: Any) -> bool:
    """Whether the weights may be split over processes, so that none of them holds a whole layer."""
    return bool(trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled)


def gathered_weights(trainer: Any) -> dict[str, Any] | None:
    """Return the whole state dict where training was sharded (FSDP, DeepSpeed); None where the model holds it all."""
    if not sharded(trainer):
        return None
    weights: dict[str, Any] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return weights


def processes() -> int:
    """Return how many processes train together: what `accelerate launch` and torchrun say in the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this is the one of the processes that writes: the first."""
    return os.environ.get("RANK", "0") == "0"
