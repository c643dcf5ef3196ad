"""What happens when memory runs out: the same step in smaller parts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ..errors import InputError, RunError
from ..plugins import Plugin, build
from ..schema import TrainingReport

RETRIES = "memory_retries"
"""Metric of a training report: how often the batch was halved because memory ran out; absent if it never was."""

COUNTERS = ("supervised_tokens", "record", "_metrics", "_total_train_tokens")
"""What trainers, ours and TRL's, count where they compute a loss."""


class OutOfMemory(RunError):
    """Memory ran out in a training stage; it may fit with a smaller batch."""

    def __init__(self, why: str = "") -> None:
        """Say so, and what the machine said of it."""
        self.why = why
        told = f" ({why})" if why else ""
        super().__init__(f"the device's memory ran out{told}; lower batch_size or raise gradient_accumulation")


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that a device or the machine had no memory left."""
    while error is not None:
        if isinstance(error, MemoryError | OutOfMemory) or (isinstance(error, RuntimeError) and _is_torch_s(error)):
            return True
        error = error.__cause__
    return False


def _is_torch_s(error: RuntimeError) -> bool:
    from accelerate.utils.memory import should_reduce_batch_size

    return bool(should_reduce_batch_size(error))


def within_memory(spec: Plugin, attempt: Callable[[Plugin], TrainingReport]) -> TrainingReport:
    """Train a stage; if memory runs out, once more with half the batch and twice the gradient accumulation.

    An optimizer step sums the gradients of the same lessons, so the loss curve is the same but for rounding. With
    `gradient_accumulation: auto` the batch is halved as often as it takes.

    Args:
        spec: The stage by name, with its options.
        attempt: Trains it, once.

    Raises:
        OutOfMemory: If it still does not fit, or the stage cannot be cut.
        Exception: Whatever else `attempt` raises.
    """
    retries, tried = 0, spec
    while True:
        try:
            report = attempt(tried)
            noted = {**report.metrics, RETRIES: float(retries)} if retries else report.metrics
            return report.model_copy(update={"metrics": noted})
        except OutOfMemory as error:
            why = error.why
            smaller = _halved(tried)
        if smaller is None or (retries and not _is_auto(spec)):
            raise OutOfMemory("with half the batch too" if retries else why)
        retries, tried = retries + 1, smaller
        _free()  # outside the handler: what failed is held by its traceback


def _is_auto(spec: Plugin) -> bool:
    return spec.options.get("gradient_accumulation") == "auto"


def _halved(spec: Plugin) -> Plugin | None:
    """Return the stage with a smaller batch; None if it has no say in it or the batch cannot be cut."""
    stage = build("stages", spec)
    options: dict[str, Any] | None = getattr(stage, "halved", lambda: None)()
    if options is None:
        return None
    smaller = spec.model_copy(update={"options": {**spec.options, **options}})
    try:
        build("stages", smaller).check()
    except InputError:
        return None  # such a batch is not to be had, so that memory stays what is lacking
    return smaller


def _free() -> None:
    from accelerate.utils.memory import clear_device_cache

    gc.collect()
    clear_device_cache()


def halve(batch: int, parts: int) -> tuple[int, int] | None:
    """Return a smaller batch and more parts of it that make the same optimizer step; None for a batch of one.

    A batch that is not even is cut by its smallest divisor: 9 x 1 becomes 3 x 3.

    Args:
        batch: Lessons a device takes at once.
        parts: Batches that an optimizer step adds up.
    """
    if batch == 1:
        return None
    smaller = next(size for size in range(batch // 2, 0, -1) if batch % size == 0)
    return smaller, parts * (batch // smaller)


def fit_batch(trainer: Any) -> None:
    """Cut the trainer's batch until a step of its longest rows fits the device; the optimizer's step stays the same.

    On a CPU, and where weights are sharded over processes, nothing is tried: there memory does not run out in a step
    that could be taken back.

    Args:
        trainer: A TRL trainer over tokenised rows, before its training.

    Raises:
        OutOfMemory: If not even one row at a time fits.
    """
    if trainer.accelerator.device.type != "cuda" or trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        return
    batch, parts = find_batch(trainer, trainer.args.per_device_train_batch_size)
    batch, parts = _agreed(trainer, batch, parts)
    trainer.args.per_device_train_batch_size = trainer._train_batch_size = batch
    trainer.args.gradient_accumulation_steps *= parts


def find_batch(trainer: Any, batch: int) -> tuple[int, int]:
    """Return the largest batch that a dry step of the longest rows fits with, and in how many parts that cuts it.

    Args:
        trainer: As for `fit_batch`.
        batch: Rows of a step; the first size that is tried.

    Raises:
        OutOfMemory: If not even one row at a time fits.
    """
    from accelerate.utils import find_executable_batch_size

    size = batch

    def smaller() -> int:
        nonlocal size
        cut = halve(size, 1)
        if cut is None:
            raise OutOfMemory("with one lesson at a time")
        size = cut[0]
        return size

    def attempt(rows: int) -> None:
        dry_step(trainer, rows)

    find_executable_batch_size(attempt, starting_batch_size=batch, reduce_batch_size_fn=smaller)()
    return size, batch // size


def _agreed(trainer: Any, batch: int, parts: int) -> tuple[int, int]:
    """Return what all processes can do: they must take as many parts."""
    import torch

    most = trainer.accelerator.gather(torch.tensor([parts], device=trainer.accelerator.device)).max().item()
    return batch * parts // int(most), int(most)


def dry_step(trainer: Any, rows: int) -> None:
    """Compute the gradient of the longest rows, with as much memory set aside as AdamW's moments take; nothing is kept.

    Args:
        trainer: As for `fit_batch`.
        rows: How many at once.

    Raises:
        RuntimeError: If memory runs out.
    """
    import torch

    model, data = trainer.model, trainer.train_dataset
    lengths = [len(tokens) for tokens in data["input_ids"]]
    longest = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)[:rows]
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    counted = {name: deepcopy(getattr(trainer, name)) for name in COUNTERS if hasattr(trainer, name)}
    with torch.random.fork_rng():
        try:
            moments = [torch.empty_like(weight) for weight in trained for _ in range(2)]
            inputs = trainer._prepare_inputs(trainer.data_collator([data[row] for row in longest]))
            with trainer.compute_loss_context_manager():
                loss = trainer.compute_loss(model.train(), inputs)
            loss.backward()
            del moments, loss
        finally:
            for name, value in counted.items():
                setattr(trainer, name, value)
            for weight in trained:
                weight.grad = None
