"""How a run directory becomes a run: it is free, and what is run is written into it, the configuration last."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..budget import Budget
from ..config import RunConfig
from ..configfile import dump_config
from ..errors import InputError
from ..jsonl import read_json, write_atomic, write_json
from ..ledger import CallLedger
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION
from .context import Objects, Parts

_BEFORE_CONFIG = {"lock", "problems.jsonl", "task.json", "objects.json"}
"""What a start that was cut off may leave; `config.yaml` comes last and makes it a run."""


def begin(rundir: RunDir, parts: Parts, objects: Objects) -> None:
    """Write what is run into a directory that is locked.

    Raises:
        InputError: If it holds something; another start may have come first.
    """
    require_free(rundir.path)
    rundir.write_problems(parts.problems)
    write_json(rundir.task, {"schema": SCHEMA_VERSION, "instruction": parts.task.instruction})
    write_json(rundir.path / "objects.json", {"schema": SCHEMA_VERSION, **objects.names()})
    write_atomic(rundir.config, dump_config(parts.config))


def require_free(path: Path) -> None:
    """Refuse a folder that holds a run, or something else.

    Raises:
        InputError: With the remedy.
    """
    if (path / "config.yaml").exists():
        again = f"tutelage resume {shlex.quote(str(path))}"
        raise InputError(f"run directory {path}: holds a run already; resume it (`{again}`), or give another one")
    if path.exists() and (not path.is_dir() or any(_is_anothers(p.name) for p in path.iterdir())):
        raise InputError(f"run directory {path}: exists and is no empty folder; give another one")


def _is_anothers(name: str) -> bool:
    """Whether a file is not what a start that was cut off may leave, half-written ones included."""
    half_written = tuple(f".{file}-" for file in (*_BEFORE_CONFIG, "config.yaml"))
    return name not in _BEFORE_CONFIG and not name.startswith(half_written)


def require_same_objects(rundir: RunDir, objects: Objects) -> None:
    """Refuse to go on with a run with other objects than it was begun with.

    Raises:
        InputError: Naming those that it was begun with.
    """
    began = read_json(rundir.path / "objects.json")
    before = {name: value for name, value in began.items() if value and name != "schema"}
    if before != {name: value for name, value in objects.names().items() if value}:
        what = ", ".join(f"{name}={value}" for name, value in before.items()) or "none"
        raise InputError(
            f"run directory {rundir.path}: was begun with these objects: {what}; resume it from Python with the same"
        )


def ledger_of(config: RunConfig, rundir: RunDir) -> CallLedger:
    """Return the ledger of a run with its budget; nothing is opened yet."""
    shared = config.teach.shared_calls
    budget = Budget(config.stop.max_usd, config.stop.max_tokens)
    return CallLedger(rundir.calls, shared=Path(shared) if shared else None, budget=budget)
