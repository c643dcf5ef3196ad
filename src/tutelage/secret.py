"""Secrets: environment variables whose values are used, but never written or shown."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from urllib.parse import quote

from .secretname import names_secret

BLACK = "***"
"""Stands for a secret."""
_PLACES = ("PWD", "OLDPWD", "GOOGLE_APPLICATION_CREDENTIALS")
"""Variables that hold a path, whatever their names say."""
_SHORTEST = 6
"""Characters; a shorter value of theirs is no key, and might be a word of the message."""
_read: set[str] = set()
"""Names of variables that were read as secrets: a configured one may have any name, and a value of any length."""


def read_secret(variable: str) -> str:
    """Return the value of an environment variable, empty if it is not set; from now on it is blacked out."""
    _read.add(variable)
    return os.environ.get(variable, "").strip()


def without_secrets(text: str) -> str:
    """Return a text with every secret blacked out: some providers repeat the key in what they complain of."""
    for form in sorted((form for value in _values() for form in _forms(value)), key=len, reverse=True):
        text = text.replace(form, BLACK)
    return text


def is_in_file(path: Path) -> bool:
    """Whether a file holds a secret; short ones are not looked for, since any file may hold their characters."""
    sought = [os.fsencode(value) for value in _values() if len(value) >= _SHORTEST]
    if not sought or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(value) >= 0 for value in sought)


def _values() -> set[str]:
    values = {os.environ.get(name, "").strip() for name in _read} - {""}
    named = {value.strip() for name, value in os.environ.items() if _is_known(name)}
    return values | {value for value in named if len(value) >= _SHORTEST}


def _is_known(variable: str) -> bool:
    """Whether a variable holds a secret by its name, whoever reads it."""
    return variable not in _PLACES and names_secret(variable)


def _forms(value: str) -> set[str]:
    """Return a secret as it is, in JSON, in Python and in a URL."""
    in_json = json.dumps(value)[1:-1]
    return {value, in_json, in_json.replace("/", r"\/"), repr(value)[1:-1], quote(os.fsencode(value), safe="")}
