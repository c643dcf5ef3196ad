"""A record as it lies on disk: with the version of its form, and refused by name if it has another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from .errors import RunError, short
from .schema import SCHEMA_VERSION, Record

R = TypeVar("R", bound=Record)


def parse_record(row: Mapping[str, Any], model: type[R], path: Path) -> R:
    """Make a record of a row, if it is of the version that this code writes.

    Raises:
        RunError: Naming the file.
    """
    if not isinstance(row, Mapping):
        raise RunError(f"{path}: {short(row)} is no record; the file was changed?")
    values = dict(row)
    version = values.pop("schema", None)
    if version != SCHEMA_VERSION:
        raise RunError(f"{path}: has schema {version}, this tutelage reads {SCHEMA_VERSION}; use the one that wrote it")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or model.__name__
        raise RunError(f"{path}: {field}: {first['msg']}; the file was changed?") from error


def dump_record(record: Record) -> dict[str, Any]:
    """Return a record as it is written."""
    return {"schema": SCHEMA_VERSION, **record.model_dump(mode="json")}
