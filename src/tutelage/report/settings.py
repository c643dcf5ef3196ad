"""A run's configuration as a page may show it: to be sent to others."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..rundir import RunDir
from ..secret import without_secrets

_SECRET = re.compile(r"(^|[_-])(key|token|secret|password|passwd|pwd|credentials?|authorization)$", re.IGNORECASE)
"""Fields that hold a secret itself; `api_key_env` and the like hold the name of a variable."""
_PASSWORD = re.compile(r"(//[^/\s:@]*:)[^/\s]*@")
"""Of an address."""
_BLACK = "***"


def shown_settings(rundir: RunDir) -> str:
    """Return `config.yaml` with its secrets blacked out, those of options that only a plug-in knows included.

    Raises:
        InputError: If it is not the configuration of a run.
    """
    return yaml.safe_dump(_without(rundir.settings()), sort_keys=False, allow_unicode=True, width=110)


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without(key): _BLACK if _holds_secret(key, one) else _without(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one) for one in value]
    return _PASSWORD.sub(rf"\g<1>{_BLACK}@", without_secrets(value)) if isinstance(value, str) else value


def _holds_secret(key: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_SECRET.search(str(key)))
