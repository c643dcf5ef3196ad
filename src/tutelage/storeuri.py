"""The address of an MLflow store, as it may stand in a configuration: complete, and without a password."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_STORE = "sqlite:///mlflow.db"
"""A file in the working directory."""

DEFAULT_EXPERIMENT = "tutelage"

DEFAULT_TRACES = 50
"""Lessons of a cycle that become traces."""

_SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "postgresql", "mysql", "mssql")


def checked_store(uri: str) -> str:
    """Return a store's address with a file's path made absolute, so that it is the same one wherever it is read.

    Raises:
        ValueError: If it is no address of a store, or holds a password, which would be written down with it.
    """
    if uri.startswith(_SQLITE) and uri != _SQLITE:
        return _SQLITE + str(Path(uri.removeprefix(_SQLITE)).expanduser().absolute())
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise ValueError(f"{uri!r} is no address ({error}); write it like {DEFAULT_STORE}") from error
    if parts.password:
        shown = parts._replace(netloc=f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}").geturl()
        raise ValueError(
            f"{shown}: leave the password out, it would be written down; MLFLOW_TRACKING_PASSWORD gives it to a "
            "server, PGPASSWORD or the like to a database"
        )
    if parts.scheme.partition("+")[0] not in _SERVERS or not parts.netloc:
        raise ValueError(f"{uri!r} is no store; write it like {DEFAULT_STORE}, or give an MLflow server's http address")
    return uri


def file_of(uri: str) -> Path | None:
    """Return the file of a store; None if it is a server."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None
