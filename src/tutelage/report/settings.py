"""A run's configuration as a page may show it: to be sent to others."""

from __future__ import annotations

from ..blacking import blacked_yaml
from ..rundir import RunDir


def shown_settings(rundir: RunDir) -> str:
    """Return `config.yaml` with its secrets blacked out, those of options that only a plug-in knows included.

    Raises:
        InputError: If it is not the configuration of a run.
    """
    return blacked_yaml(rundir.settings())
