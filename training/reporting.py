"""TRL's `report_to`: trackers such as TensorBoard and Weights & Biases, and where they leave what they log."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

from ..errors import InputError, did_you_mean, one_line
from ..seams import StageJob
from . import adapter

EXTRAS = ("tensorboard", "wandb", "mlflow")
"""Trackers whose package is an extra of ours."""
_QUIET = {"WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_PROJECT": "tutelage"}
"""What holds of W&B unless the user has set it: stdout belongs to `--json`."""


def check_report_to(stage: str, trackers: Sequence[str]) -> None:
    """Refuse a tracker that cannot be reported to, without loading a model.

    Raises:
        InputError: If there is none of that name, its package is missing, or W&B knows no key.
    """
    known, installed = known_trackers()
    for tracker in trackers:
        if tracker not in known:
            raise InputError(f"stages: {stage}: report_to: no tracker {tracker!r}; {did_you_mean(tracker, known)}")
        if tracker not in installed:
            package = f"'tutelage[{tracker}]'" if tracker in EXTRAS else tracker
            raise InputError(f"stages: {stage}: report_to: {tracker} is not installed; pip install {package}")
    if "wandb" in trackers:
        _check_wandb(stage)


def known_trackers() -> tuple[list[str], list[str]]:
    """Return the names that `report_to` may have, and those whose package is installed."""
    with redirect_stdout(sys.stderr):  # at its import it prints that W&B is offline; stdout belongs to `--json`
        from transformers.integrations.integration_utils import (
            INTEGRATION_TO_CALLBACK,
            get_available_reporting_integrations,
        )

    return list(INTEGRATION_TO_CALLBACK), list(get_available_reporting_integrations())


def _check_wandb(stage: str) -> None:
    """Refuse W&B without a key: it would ask for one in the middle of the run."""
    if os.environ.get("WANDB_MODE", "online") not in ("online", "shared"):
        return
    import wandb

    try:
        with _environment(_QUIET):
            has_key = wandb.login(prompt=False)
    except Exception as error:  # a key that is none, or a server that does not answer
        raise InputError(f"stages: {stage}: report_to: wandb: {one_line(error)}; or set WANDB_MODE=offline") from error
    if not has_key:
        raise InputError(f"stages: {stage}: report_to: wandb knows no key; set WANDB_API_KEY, or WANDB_MODE=offline")


@contextmanager
def reporting(job: StageJob, trackers: Sequence[str]) -> Iterator[None]:
    """Have the trackers leave what they log with the run, while a stage is trained.

    TensorBoard's files go to `tensorboard/<title>`, those of an attempt that was cut off are taken away; W&B's to
    `wandb/`. What the environment says of another place holds.
    """
    if not trackers:
        yield
        return
    places = dict(_QUIET)
    if job.logs is not None:
        folder = job.logs / "tensorboard" / job.title
        if "tensorboard" in trackers and adapter.is_main_process() and "TENSORBOARD_LOGGING_DIR" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
        places |= {"TENSORBOARD_LOGGING_DIR": str(folder), "WANDB_DIR": str(job.logs)}
    with _environment(places), _own_wandb_run(trackers):
        yield


@contextmanager
def _own_wandb_run(trackers: Sequence[str]) -> Iterator[None]:
    """End the run that the trainer begins at W&B, or all stages of a process would be one; leave a user's own be."""
    if "wandb" not in trackers:
        yield
        return
    import wandb

    ours = wandb.run is None
    try:
        yield
    finally:
        if ours and wandb.run is not None:
            wandb.finish()


@contextmanager
def _environment(defaults: dict[str, str]) -> Iterator[None]:
    """Set variables that are not set, and take them back."""
    added = {name: value for name, value in defaults.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
