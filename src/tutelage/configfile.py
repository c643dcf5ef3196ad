"""Read a configuration from YAML, apply `--set` overrides, and say where a mistake stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from .config import RunConfig
from .configlines import line_of, set_by
from .errors import InputError, did_you_mean, first_line
from .refusal import Location, place_of, why_refused


def load_config(source: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read and check a configuration file.

    Args:
        source: The YAML file.
        overrides: `a.b=value` each; the value is read as YAML.

    Raises:
        InputError: If the file cannot be read, is no YAML mapping, or holds a wrong value; the message names the
            line and the field.
    """
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InputError(f"{path}: cannot be read ({reason}); give the path of a YAML configuration") from error
    root, values = _parsed(path, text)
    if not isinstance(values, dict):
        raise InputError(f"{path}:1: a configuration is a mapping of fields to values")
    for override in overrides:
        apply_override(values, override)
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(_explain(error, values, str(path), root, overrides)) from error


def parse_config(values: dict[str, Any], source: str = "configuration") -> RunConfig:
    """Check a configuration given as a mapping.

    Raises:
        InputError: On the first wrong field.
    """
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(_explain(error, values, source, None)) from error


def dump_config(config: RunConfig) -> str:
    """Write a configuration as YAML, defaults included, so that a run can be repeated from its directory."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _parsed(path: Path, text: str) -> tuple[yaml.Node | None, Any]:
    """Return a file's nodes, which know their lines, and its values."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date that does not exist
        raise InputError(f"{path}: not YAML: {first_line(error)}") from error


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set one field of a configuration in place.

    Raises:
        InputError: If it is not `a.b=value`, or leads nowhere.
    """
    key, sign, text = override.partition("=")
    if not sign or not key:
        raise InputError(f"--set {override}: write it as field.name=value")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"--set {key}: {text!r} is not a YAML value") from error
    *parents, last = key.split(".")
    place: Any = values
    for part in parents:
        place = _enter(place, part, key)
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    else:
        place[last] = value


def _enter(place: Any, part: str, key: str) -> Any:
    at: Any = _index(place, part, key) if isinstance(place, list) else part
    inner = place[at] if isinstance(place, list) else place.setdefault(part, {})
    if isinstance(inner, str):  # a plug-in written as a bare name
        inner = place[at] = {"name": inner}
    if inner is None:
        inner = place[at] = {}
    if not isinstance(inner, dict | list):
        raise InputError(f"--set {key}: {part!r} is a value, not a section")
    return inner


def _index(place: list[Any], part: str, key: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        raise InputError(f"--set {key}: {part!r} is no index of a list of {len(place)}")
    return int(part)


def _explain(
    error: ValidationError, values: Any, source: str, root: yaml.Node | None, overrides: Sequence[str] = ()
) -> str:
    first = _telling(error.errors())
    location = place_of(first["loc"], values, first["type"] == "missing")
    field = ".".join(map(str, location)) or "configuration"
    if first["type"] == "extra_forbidden":
        told = f"unknown key; {did_you_mean(str(location[-1]), _fields_at(RunConfig, location[:-1]))}"
    elif first["type"] == "missing":
        told = "missing; add it"
    else:
        told = why_refused(error, values)
    line = line_of(root, location)
    where = set_by(location, overrides, told) or (f"{source}:{line}" if line else source)
    return f"{where}: {field}: {told}"


def _telling(errors: Sequence[Any]) -> Any:
    """Return the error to tell: a field is missing because of an unknown key beside it, rather than besides."""
    beside = [e for e in errors if e["type"] == "extra_forbidden" and e["loc"][:-1] == errors[0]["loc"][:-1]]
    return beside[0] if beside and errors[0]["type"] == "missing" else errors[0]


def _fields_at(model: type[BaseModel], location: Location) -> set[str]:
    """Return the keys known at a place of the configuration."""
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        if field is None:
            return set()
        inner = _model_in(field.annotation)
        if inner is None:
            return set()
        model = inner
    return set(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
