"""Fill a seam: from an object, from `module:attribute`, or from an installed entry point.

Built-ins are entry points of this package, so they come through the same door as everybody else's.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from .errors import InputError, RunError, did_you_mean, one_line
from .refusal import first_refused
from .seams import (
    Callback,
    Critic,
    Diagnostician,
    Embedder,
    Engine,
    Planner,
    Purifier,
    Stage,
    StepChecker,
    Task,
    Teacher,
)

SEAMS: dict[str, type] = {
    "teachers": Teacher,
    "critics": Critic,
    "checkers": StepChecker,
    "diagnosticians": Diagnostician,
    "planners": Planner,
    "purifiers": Purifier,
    "tasks": Task,
    "stages": Stage,
    "embedders": Embedder,
    "engines": Engine,
    "callbacks": Callback,
}
"""Each seam's name and its protocol; the entry-point group is `tutelage.<name>`."""


class Plugin(BaseModel):
    """What fills a seam, as the configuration says it: a name with options."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(min_length=1)
    """An entry point's name, or `module:attribute`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the plug-in; checked against its signature."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


def known_to(seam: str) -> Callable[[Plugin], Plugin]:
    """Return what refuses, in a configuration, a bare name that nothing installed fills a seam with.

    That it can be imported and made shows later: this costs no import.
    """

    def check_name(spec: Plugin) -> Plugin:
        names = {point.name for point in entry_points(group=f"tutelage.{seam}")}
        if ":" not in spec.name and spec.name not in names:
            raise ValueError(_unknown(spec.name, names))
        return spec

    return check_name


def _unknown(name: str, names: Iterable[str]) -> str:
    return f"unknown name {name!r}; {did_you_mean(name, names)} (or give `module:attribute`)"


class Listing(NamedTuple):
    """One line of `tutelage plugins`."""

    seam: str
    name: str
    target: str
    package: str


def installed() -> list[Listing]:
    """List every installed plug-in by seam."""
    rows = [
        Listing(seam, point.name, point.value, point.dist.name if point.dist else "?")
        for seam in SEAMS
        for point in entry_points(group=f"tutelage.{seam}")
    ]
    return sorted(set(rows))


def resolve(seam: str, name: str) -> Any:
    """Import what `name` stands for in a seam.

    Raises:
        InputError: If there is no such plug-in, or it cannot be imported.
    """
    try:
        if ":" in name:
            return _import_attribute(name)
        points: dict[str, EntryPoint] = {p.name: p for p in entry_points(group=f"tutelage.{seam}")}
        if name in points:
            return points[name].load()
    except Exception as error:  # a module may raise anything when it is imported
        where = f"; modules are looked for in {Path.cwd()} and on PYTHONPATH" if isinstance(error, ImportError) else ""
        raise InputError(f"{seam}: {name!r} cannot be imported: {one_line(error)}{where}") from error
    raise InputError(f"{seam}: {_unknown(name, points)}")


def _import_attribute(name: str) -> Any:
    """Import `module:attribute`, with the working directory on the path as scripts have it."""
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    target: Any = importlib.import_module(module_name)
    for part in attribute.split("."):
        target = getattr(target, part)
    return target


def build(seam: str, spec: Plugin, **given: Any) -> Any:
    """Make the object that fills a seam.

    Args:
        seam: A key of `SEAMS`.
        spec: Name and options.
        **given: What the run offers (`ledger`, `seed`, ...); passed on where the plug-in asks for it by name.

    Raises:
        InputError: If the name is unknown, an option is unknown or of the wrong type, or the object made
            does not have the seam's method.
    """
    target = resolve(seam, spec.name)
    made = target
    if inspect.isclass(target) or (inspect.isfunction(target) and not isinstance(target, SEAMS[seam])):
        made = _call(seam, spec, target, given)
    elif spec.options:
        raise InputError(f"{seam}: {spec.name!r} is a ready object and takes no options")
    return check(seam, made, spec.name)


def check(seam: str, made: Any, name: str | None = None) -> Any:
    """Return the object if it fills the seam.

    Raises:
        InputError: If it lacks a method or attribute of the protocol.
    """
    if isinstance(made, SEAMS[seam]) and not inspect.isclass(made):
        return made
    if inspect.isclass(made):
        raise InputError(f"{seam}: {made.__name__} is a class; give an object, `{made.__name__}()`")
    if isinstance(made, str):
        raise InputError(f"{seam}: {made!r} is a name; names go into the configuration, objects are given here")
    members = sorted(m for m in _members(SEAMS[seam]) if not hasattr(made, m))
    raise InputError(f"{seam}: {name or type(made).__name__!r} lacks {', '.join(members)}; see tutelage.seams")


def _members(protocol: type) -> set[str]:
    own = {m for m in vars(protocol) if not m.startswith("_")}
    return own | set(getattr(protocol, "__annotations__", {}))


def _call(seam: str, spec: Plugin, target: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    parameters = _parameters(seam, spec, target)
    offered = {name: value for name, value in given.items() if name in parameters}
    unknown = sorted(set(spec.options) - set(parameters))
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        own = set(parameters) - set(given)
        raise InputError(f"{seam}: {spec.name}: unknown option {unknown[0]!r}; {did_you_mean(unknown[0], own)}")
    options = {**offered, **_typed(seam, spec, parameters)}
    missing = [name for name, p in parameters.items() if _required(p) and name not in options]
    if missing:
        raise InputError(f"{seam}: {spec.name}: option {missing[0]!r} is missing; add it to its options")
    try:
        with signed(seam, spec):
            return target(**options)
    except (InputError, RunError):
        raise
    except Exception as error:
        raise InputError(f"{seam}: {spec.name} cannot be made: {one_line(error)}") from error


@contextmanager
def signed(seam: str, spec: Plugin) -> Iterator[None]:
    """Have what a plug-in says of its options begin with its seam and name, as the configuration has them.

    What names another field of the configuration, or a place in a file, is left as it is.

    Raises:
        InputError: As it was raised, so signed.
    """
    try:
        yield
    except InputError as error:
        told = _signed(seam, spec, str(error))
        if told == str(error):
            raise
        raise InputError(told) from error


def _signed(seam: str, spec: Plugin, message: str) -> str:
    if message.startswith(f"{seam}: "):
        return message
    name, singular = re.escape(spec.name), seam.removesuffix("s")
    own = re.match(rf"(?:{singular}(?: {name})?|{name}): ", message)
    if own:
        return f"{seam}: {spec.name}: {message[own.end() :]}"
    begun = next((one for one, value in spec.options.items() if message.startswith(f"{value}: ")), None)
    if begun:  # a file that an option names
        return f"{seam}: {spec.name}: {begun}: {message}"
    first = re.match(r"\w+", message)
    if ": " not in message or (first and first[0] in spec.options):
        return f"{seam}: {spec.name}: {message}"
    return message


def _parameters(seam: str, spec: Plugin, target: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        if not is_dataclass(target):
            return inspect.signature(target, eval_str=True).parameters
        hints = get_type_hints(target)  # reads inherited fields in the modules that they come from
        found = inspect.signature(target).parameters
        return {name: one.replace(annotation=hints.get(name, one.annotation)) for name, one in found.items()}
    except (NameError, TypeError, ValueError) as error:
        raise InputError(f"{seam}: {spec.name}: its signature cannot be read: {one_line(error)}") from error


def _required(parameter: inspect.Parameter) -> bool:
    variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variable


def _typed(seam: str, spec: Plugin, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Validate the options against the annotations of the plug-in's signature."""
    fields: dict[str, Any] = {
        name: (Any if parameters[name].annotation is inspect.Parameter.empty else parameters[name].annotation, ...)
        for name in spec.options
        if name in parameters
    }
    model = create_model("Options", __config__=ConfigDict(arbitrary_types_allowed=True), **fields)
    try:
        typed = model(**{name: spec.options[name] for name in fields})
    except ValidationError as error:
        raise InputError(f"{seam}: {spec.name}: {first_refused(error, spec.options)}") from error
    return {**spec.options, **{name: getattr(typed, name) for name in fields}}
