"""How far a stage has come: a small file beside the checkpoint in the making, so that a person sees it is alive."""

from __future__ import annotations

import json
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import RunError
from ..jsonl import write_json

FILE = "progress.json"
STOP: ContextVar[threading.Event | None] = ContextVar("STOP", default=None)
"""Ends the training in this process before its next step when it is set; a worker process is ended from outside."""


class Progress(NamedTuple):
    """Optimizer steps done, and wanted."""

    step: int
    of: int


def read_progress(out: Path) -> Progress | None:
    """Return how far the stage has come whose checkpoint will be `out`; None before its first step."""
    path = out.with_name(f"{out.name}.partial") / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # not begun, or just renamed
    return Progress(int(found["step"]), int(found["of"]))


def step_callback(folder: Path) -> Any:
    """Return a trainer callback that notes each step in a checkpoint's folder, and takes the note away at the end.

    Each batch that a step adds up touches the note, by which a watchdog sees that a long step goes on. The callback
    raises RunError when the stage is told to stop.
    """
    from transformers import TrainerCallback

    stop = STOP.get()

    class StepNote(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if stop is not None and stop.is_set():
                raise RunError("training was told to stop")
            if state.is_world_process_zero:
                write_json(folder / FILE, Progress(state.global_step, state.max_steps)._asdict())

        def on_substep_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                folder.mkdir(parents=True, exist_ok=True)  # before the first step nothing has made it
                (folder / FILE).touch()

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                (folder / FILE).unlink(missing_ok=True)

    return StepNote()
