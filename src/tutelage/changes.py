"""What a run may be resumed with: settings that change how far and how fast it goes, never what it means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from .config import RunConfig
from .configfile import load_config
from .errors import InputError
from .rundir import RunDir

_OF_A_CALL = (
    "concurrency",
    "timeout",
    "retries",
    "patience",
    "requests_per_minute",
    "tokens_per_minute",
    "price_in",
    "price_out",
    "api_key_env",
)
"""Options of those who ask a chat model; none of them is in what is asked."""

CHANGEABLE = (
    "stop.cycles",
    "stop.target",
    "stop.patience",
    "stop.max_usd",
    "stop.max_tokens",
    "teach.concurrency",
    "teach.timeout",
    "teach.bench_after",
    "teach.shared_calls",
    "student.batch_size",
    "student.device",
    "training.timeout",
    "training.worker",
    *(f"teachers.*.options.{option}" for option in _OF_A_CALL),
    *(f"teach.critic.options.{option}" for option in _OF_A_CALL),
)
"""The fields, as `--set` names them; `*` is the number of a teacher."""


def changed_config(rundir: RunDir, overrides: Sequence[str]) -> RunConfig:
    """Read a run's configuration with some fields changed; nothing is written.

    Args:
        rundir: The run.
        overrides: `a.b=value` each.

    Raises:
        InputError: If a field is not among CHANGEABLE, a value is wrong, or the run has ended.
    """
    if overrides and rundir.result():
        raise InputError(f"--set {overrides[0]}: {rundir.path} is finished, and nothing of it is done again")
    for override in overrides:
        field = override.partition("=")[0]
        if not any(fnmatchcase(field, pattern) for pattern in CHANGEABLE):
            known = ", ".join(CHANGEABLE)
            raise InputError(f"--set {override}: would make another run of it; start one, or change one of: {known}")
    return load_config(rundir.config, overrides)
