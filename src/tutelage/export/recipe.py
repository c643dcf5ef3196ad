"""How a run was set up, as a card tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..blacking import blacked, blacked_yaml
from ..errors import InputError, first_line
from ..rundir import RunDir


class Recipe(NamedTuple):
    """What a card tells of a run's configuration."""

    student: str
    """The base student; of a folder on some machine only its name."""
    hub_id: str | None
    """The base student's id on the hub, if it is one."""
    task: str
    stages: tuple[str, ...]
    instruction: str | None
    """The task's system message, under which the student is taught and examined."""
    text: str
    """The configuration itself; here and above what is known as a secret is blacked out."""


def read_recipe(rundir: RunDir) -> Recipe:
    """Read a run's configuration without its plug-ins, which need not be installed here.

    Raises:
        InputError: If it is not one.
    """
    try:
        values = blacked(yaml.safe_load(rundir.config.read_text(encoding="utf-8")))
        model = str(values["student"]["model"])
        return Recipe(
            student=_bare(model),
            hub_id=_hub_id(model),
            task=_task(values["task"]),
            stages=tuple(stage["name"] for stage in values["training"]["stages"]),
            instruction=rundir.instruction(),
            text=blacked_yaml(values),
        )
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{rundir.config}: not the configuration of a run: {first_line(error)}") from error


def _bare(model: str) -> str:
    return Path(model).name if Path(model).is_absolute() or model.startswith((".", "~")) else model


def _hub_id(model: str) -> str | None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if model.count("/") != 1 or Path(model).exists():
        return None
    try:
        validate_repo_id(model)
    except HFValidationError:
        return None
    return model


def _task(task: dict[str, Any]) -> str:
    """Name a task, with the data set that it was given by name."""
    of = task.get("options", {}).get("dataset")
    return f"{task['name']} ({of})" if isinstance(of, str) else str(task["name"])
