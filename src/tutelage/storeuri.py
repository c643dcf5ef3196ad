"""The address of an MLflow store, as it may stand in a configuration: complete, and without a password."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

from .secretname import names_secret

DEFAULT_STORE = "sqlite:///mlflow.db"
"""A file in the working directory."""

DEFAULT_EXPERIMENT = "tutelage"

DEFAULT_TRACES = 50
"""Lessons of a cycle that become traces."""

_SQLITE = "sqlite:///"
_SERVERS = ("http", "https")
_DATABASES = ("postgresql", "mysql", "mssql")

_PASSWORD = re.compile(r"//[^:/@]*:[^@]*@")
"""Where SQLAlchemy finds a password; other than in a URL, it may hold any sign."""
_FIELD = re.compile(r"([\w-]+)\s*=")
"""A field of a query, and of what a field of a query may hold, such as ODBC's `PWD=...`."""


def checked_store(uri: str) -> str:
    """Return a store's address with a file's path made absolute, so that it is the same one wherever it is read.

    Raises:
        ValueError: If it is no address of a store, or holds a secret, which would be written down with it. The secret
            is not in the message.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # what it says may hold the password
        raise ValueError(f"{_shown(uri)!r} is no address; write it like {DEFAULT_STORE}") from None
    kind = parts.scheme.partition("+")[0]
    if kind in _SERVERS and any(sign in uri for sign in "@?#"):
        raise ValueError(
            f"{_shown(uri)}: leave name, password, query and fragment out, they would be written down; "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, give them to a server"
        )
    if _PASSWORD.search(uri) or any(map(names_secret, _fields(uri))):
        raise ValueError(
            f"{_shown(uri)}: leave the password out, it would be written down; PGPASSWORD or the like gives it to a "
            "database"
        )
    if uri.startswith(_SQLITE) and uri != _SQLITE:
        return _SQLITE + str(Path(uri.removeprefix(_SQLITE)).expanduser().absolute())
    if kind not in (*_SERVERS, *_DATABASES) or not parts.netloc:
        told = f"{_shown(uri)!r} is no store; write it like {DEFAULT_STORE}"
        raise ValueError(f"{told}, or give an MLflow server's http address")
    return uri


def file_of(uri: str) -> Path | None:
    """Return the file of a store; None if it is a server."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def _fields(uri: str) -> list[str]:
    """Return the names in a query, and those in what it holds; ODBC's are encoded twice."""
    query = re.split(r"[?#]", uri, maxsplit=1)[1:]
    return [name for some in query for name in _FIELD.findall(unquote_plus(unquote_plus(some)))]


def _shown(uri: str) -> str:
    """Return an address with stars for what may be a secret in it: all before the last `@`, and the query."""
    bare = re.sub(r"^([\w+]*:/*)?.*@", r"\1***@", uri, flags=re.DOTALL)
    return re.sub(r"([?#]).*", r"\1***", bare, flags=re.DOTALL)
