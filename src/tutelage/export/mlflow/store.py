"""MLflow's store: found fit before anything is written to it, and opened without a word to anybody else."""

from __future__ import annotations

import logging
import os
import shlex
import sqlite3
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import InputError, RunError, one_line
from ...storeuri import file_of
from .figures import plain_key

_NEEDED = ("mlflow", "sqlalchemy", "alembic")

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read when MLflow is imported
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # by default it asks a dead server for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Of MLflow and what it loads, where the user has not set them."""


def require_store(uri: str) -> None:
    """Find out, without opening MLflow, whether a store can be written to.

    Args:
        uri: Its address, as `storeuri.checked_store` returns it.

    Raises:
        InputError: If MLflow is not installed, or the file of the store cannot be one.
    """
    for module in _NEEDED if file_of(uri) else _NEEDED[:1]:
        if find_spec(module) is None:
            raise InputError(f"MLflow: the package {module} is missing; pip install 'tutelage[mlflow]'")
    path = file_of(uri)
    if path is not None:
        _require_file(path)


def _require_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise InputError(f"MLflow store: {path.parent} is no folder; make it first, or give another store")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"MLflow store: {path} cannot be written; give another store")
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)  # makes no files beside it
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise InputError(f"MLflow store: {path} is no SQLite file ({error}); give another store") from error
    if tables and not {"experiments", "alembic_version"} <= tables:
        raise InputError(f"MLflow store: {path} is another program's database; give another store")


def open_store(uri: str) -> Any:
    """Return MLflow's client of a store; a new one is made on the way.

    Raises:
        InputError: If the store cannot be opened by this MLflow.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.ERROR)  # it sets its own when it is imported
        client = MlflowClient(tracking_uri=uri)
        client.search_experiments(max_results=1)  # a server is asked for the first time
    except Exception as error:
        raise InputError(f"MLflow store {uri}: cannot be opened: {one_line(error)}; give another store") from error
    return client


def experiment(client: Any, uri: str, name: str) -> str:
    """Return the id of an experiment by name; a new one keeps its artifacts beside the store's file.

    Raises:
        InputError: If it cannot be had, such as one that was deleted.
    """
    try:
        found = client.get_experiment_by_name(name)
        if found is None:
            path = file_of(uri)
            place = (path.parent / "mlruns" / plain_key((name,), "/")).as_uri() if path else None
            return str(client.create_experiment(name, artifact_location=place))
    except Exception as error:
        raise InputError(f"MLflow experiment {name!r}: {one_line(error)}; give another name") from error
    if found.lifecycle_stage != "active":
        raise InputError(f"MLflow experiment {name!r}: is deleted; restore it in MLflow, or give another name")
    return str(found.experiment_id)


def how_to_look(uri: str) -> str:
    """Return a server's address; of a file the command that shows it, and what it needs if that is not installed."""
    if file_of(uri) is None:
        return uri
    command = f"mlflow ui --backend-store-uri {shlex.quote(uri)}"
    if find_spec("flask"):
        return command
    return f"{command}   (in an environment with the whole of MLflow: pip install mlflow=={version('mlflow-skinny')})"


def refused(error: Exception) -> RunError:
    """Return what MLflow raised in the middle, as an error that says what can be done."""
    return RunError(f"MLflow: {one_line(error)}; what was written is kept, and a further export goes on")
