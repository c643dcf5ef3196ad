"""Where a model runs and in which arithmetic, when the configuration says `auto`, and how memory is kept."""

from __future__ import annotations

import ctypes
from typing import Final, Literal

from .errors import InputError

Precision = Literal["float32", "bfloat16"]

_KEPT_MEMORY: Final = {-1: -1, -4: 0, -8: 1}
"""glibc's M_TRIM_THRESHOLD, M_MMAP_MAX and M_ARENA_MAX (malloc.h): never give freed memory back, map nothing apart, and
let all threads share it."""


def pick_device(device: str = "auto") -> str:
    """Return a torch device by name.

    Args:
        device: `auto` takes a GPU where there is one; anything else is checked and returned.

    Raises:
        InputError: If torch does not know the device, or it is not in this machine.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise InputError(
            f"student.device: {device!r} is no torch device; use auto, cpu, cuda, cuda:1 or mps"
        ) from error
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"student.device: {device!r} asked for, {torch.cuda.device_count()} CUDA devices found; use auto"
        )
    if wanted.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("student.device: 'mps' asked for, but this machine has none; use auto")
    return device


def pick_precision(precision: str, device: str) -> Precision:
    """Return the arithmetic of generation and training.

    Args:
        precision: `auto`, `float32` or `bfloat16`; `auto` takes bfloat16 only where the hardware computes in it,
            since emulation is slower than float32.
        device: What `pick_device` returned.

    Raises:
        InputError: If the name is none of these.
    """
    if precision == "float32":
        return "float32"
    if precision == "bfloat16":
        return "bfloat16"
    if precision != "auto":
        raise InputError(f"student.precision: {precision!r} is unknown; use auto, float32 or bfloat16")
    return "bfloat16" if _computes_bfloat16(device) else "float32"


def keep_memory() -> None:
    """Let this process keep the memory it frees: to be called before there are threads.

    On a CPU each training step frees and takes the same gigabytes, and giving them back to the kernel in between costs
    page faults. Does nothing where the C library is not glibc.
    """
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # macOS, musl, Windows
        return
    for name, value in _KEPT_MEMORY.items():
        adjust(name, value)


def _computes_bfloat16(device: str) -> bool:
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    # torch has no public question for this; a build without the function answers no.
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(native and native())
