"""What a run may be resumed with: settings that change how far and how fast it goes, never what it means.

And what a training stage needs that would else fail at every resume: less at once, or a smaller learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from .config import RunConfig
from .configfile import load_config
from .configlines import told_override
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

_OF_A_STAGE = ("batch_size", "gradient_accumulation", "max_length", "max_new_tokens", "learning_rate")
"""Options of a training stage that ran out of memory or context, or whose loss was no finite number."""

CHANGEABLE = (
    "stop.cycles",
    "stop.target",
    "stop.patience",
    "stop.max_usd",
    "stop.max_tokens",
    "review",
    "teach.concurrency",
    "teach.timeout",
    "teach.bench_after",
    "teach.shared_calls",
    "student.batch_size",
    "student.device",
    "training.timeout",
    "training.watchdog",
    "training.worker",
    "track.mlflow",
    "track.mlflow.*",
    *(f"teachers.*.options.{option}" for option in _OF_A_CALL),
    *(f"teach.critic.options.{option}" for option in _OF_A_CALL),
    *(f"training.stages.*.options.{option}" for option in _OF_A_STAGE),
)
"""The fields, as `--set` names them; `*` is the number of a teacher or stage."""


def changed_config(rundir: RunDir, overrides: Sequence[str]) -> RunConfig:
    """Read a run's configuration with some fields changed; nothing is written.

    Args:
        rundir: The run.
        overrides: `a.b=value` each.

    Raises:
        InputError: If a field is not among CHANGEABLE, a value is wrong, or the run has ended.
    """
    if overrides and rundir.result():
        raise InputError(f"{told_override(overrides[0])}: {rundir.path} is finished, and nothing of it is done again")
    for override in overrides:
        field = override.partition("=")[0]
        if not any(fnmatchcase(field, pattern) for pattern in CHANGEABLE):
            known = ", ".join(CHANGEABLE)
            told = told_override(override)
            raise InputError(f"{told}: would make another run of it; start one, or change one of: {known}")
    return load_config(rundir.config, overrides)
