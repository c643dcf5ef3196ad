"""In which file and line, or in which override, stands what a message is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml
from pydantic import BaseModel

from .config import RunConfig
from .configfile import load_config
from .configlines import line_of, of_the_name, set_by
from .errors import InputError
from .plugins import Plugin
from .refusal import Location

SECTIONS: Mapping[str, Sequence[Location]] = {
    "teachers": [("teachers",)],
    "critics": [("teach", "critic")],
    "checkers": [("checker",)],
    "diagnosticians": [("diagnostician",)],
    "planners": [("planner",)],
    "purifiers": [("purifier",)],
    "tasks": [("task",), ("retention", "task")],
    "stages": [("training", "stages")],
    "embedders": [("memory", "embedder")],
    "callbacks": [("callbacks",)],
    "engines": [("student", "engine")],
}
"""Where a configuration has the plug-ins of each seam."""

_PLUGIN = re.compile(r"([a-z]+): '?(\S+?)'?:?\s")
_TEACHER = re.compile(r"teacher '([^']+)'[^:]*: ")
_ONLY = re.compile(r"the (critic|diagnostician|purifier)\b[^:]*: ")
_FIELD = re.compile(r"([a-z_]+(?:\.[A-Za-z0-9_]+)*): ")
_OPTION = re.compile(r"(?:(?:unknown )?option )?'?([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_]+)*)'?(:?)(?=\s|;|$)")

_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`")
_INDEX = re.compile(r"[0-9]{1,6}")


class Named(NamedTuple):
    """A plug-in that a message may be about."""

    location: Location
    plugin: Plugin


@contextmanager
def placing(
    config: RunConfig, source: Path, overrides: Sequence[str] = (), objects: Collection[str] = ()
) -> Iterator[None]:
    """Tell with its place what is found to be wrong within; see `with_place` for the arguments.

    Raises:
        InputError: As it was raised, with the place before it.
    """
    try:
        yield
    except InputError as error:
        told = with_place(str(error), config, source, overrides, objects)
        if told == str(error):
            raise
        raise InputError(told) from error


def with_place(
    message: str, config: RunConfig, source: Path, overrides: Sequence[str] = (), objects: Collection[str] = ()
) -> str:
    """Return a message with the file and line of the field or plug-in that it begins with, or the override.

    Args:
        message: As it would be told; one that begins with neither is returned as it is, and so is one whose line
            cannot be told because the file is not any more what was read.
        config: What the file and the overrides say.
        source: The configuration file.
        overrides: Those given beside it, `a.b=value` each.
        objects: Seams that objects fill, `teachers` or `planner`, and fields that something else takes the place of:
            what the file says of them is not to blame.
    """
    location = _location(message, config, overrides)
    if location is None or _filled(location, objects):
        return message
    blamed = set_by(location, overrides, message)
    if blamed is None and "options" in location and "unknown option" in message:  # of the plug-in that was meant
        blamed = set_by((*location[: location.index("options")], "name"), overrides)
    if blamed is None:
        blamed = _line(location, config, source, overrides)
    return f"{blamed}: {message}" if blamed else message


def _filled(location: Location, objects: Collection[str]) -> bool:
    """Whether what stands at a location is not used, since something else takes its place."""
    if ".".join(map(str, location)) in objects:
        return True
    seams = [seam for seam in SECTIONS if seam in objects or seam.removesuffix("s") in objects]
    return any(location[: len(section)] == section for seam in seams for section in SECTIONS[seam])


def _line(location: Location, config: RunConfig, source: Path, overrides: Sequence[str]) -> str | None:
    """Return the file and line of a location; None if the file has been changed or removed since it was read."""
    try:
        if repr(load_config(source, overrides)) != repr(config):  # by repr, since not a number is not itself
            return None
        root = yaml.compose(source.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (InputError, OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line = line_of(root, location)
    return f"{source}:{line}" if line else str(source)


def _location(message: str, config: RunConfig, overrides: Sequence[str]) -> Location | None:
    """Return where what a message begins with stands, as exactly as can be told."""
    named, rest = _named(message, config)
    if named:
        found = [_within_plugin(one, rest, overrides) for one in named]
        exact = [one for one in found if "options" in one] or found
        return exact[0] if len(exact) == 1 else None
    field = _FIELD.match(message)
    there = _at(config, field[1]) if field else None
    if field and there and isinstance(there[1], Plugin):
        return _within_plugin(Named(*there), message[field.end() :], overrides)
    return there[0] if there else None


def _named(message: str, config: RunConfig) -> tuple[list[Named], str]:
    """Return the plug-ins that a message names at its beginning, and what it says of them."""
    if (found := _PLUGIN.match(message)) and found[1] in SECTIONS:
        return [one for one in _plugins(config, found[1]) if one.plugin.name == found[2]], message[found.end() :]
    if found := _TEACHER.match(message):
        teachers = list(_plugins(config, "teachers"))
        named = [one for one in teachers if one.plugin.options.get("name", one.plugin.name) == found[1]]
        return named, message[found.end() :]
    if found := _ONLY.match(message):
        return list(_plugins(config, f"{found[1]}s")), message[found.end() :]
    return [], message


def _plugins(config: RunConfig, seam: str) -> Iterator[Named]:
    """Yield the plug-ins of a seam and where they stand."""
    for section in SECTIONS[seam]:
        there = _at(config, ".".join(map(str, section)))
        if there and isinstance(there[1], Plugin):
            yield Named(*there)
        if there and isinstance(there[1], tuple):
            yield from (Named((*section, number), one) for number, one in enumerate(there[1]))


def _within_plugin(named: Named, told: str, overrides: Sequence[str]) -> Location:
    """Return the location of a plug-in's option that is told to be wrong, or its own."""
    location, plugin = named
    for said in (plugin.name, *map(str, plugin.options.values())):  # such as the data set that a task draws from
        told = told if said in plugin.options else told.removeprefix(f"{said}: ")
    first = _OPTION.match(told)
    if first and first[1] in plugin.options:
        return _inner(named, first[1], first[2])
    if of_the_name(told):
        return location
    text = _QUOTED.sub("", told)  # words there name no option
    hits = [
        (found.start(), option, found[1])
        for option in plugin.options
        if (found := re.search(rf"\b{re.escape(option)}\b((?:\.[A-Za-z0-9_]+)*)", text))
    ]
    overridden = [hit for hit in hits if _is_overridden((*location, "options", hit[1]), overrides)]
    if not overridden and first and first[3]:  # a field that is not given: what else is named is not to blame
        return location
    return _inner(named, *min(overridden or hits)[1:]) if hits else location


def _is_overridden(location: Location, overrides: Sequence[str]) -> bool:
    field = ".".join(map(str, location))
    return any(f"{override.partition('=')[0]}.".startswith(f"{field}.") for override in overrides)


def _inner(named: Named, option: str, path: str) -> Location:
    """Return the location of an option, or of as much of a path within it as is there."""
    location: Location = (*named.location, "options", option)
    value: Any = named.plugin.options[option]
    for part in path.split(".")[1:]:
        inner = _entered(value, part)
        if inner is None:
            break
        location, value = (*location, inner[0]), inner[1]
    return location


def _at(config: RunConfig, field: str) -> tuple[Location, Any] | None:
    """Return a dotted field's location and value, if the configuration has it: a path may begin like one."""
    location, value = Location(), cast(Any, config)
    for part in field.split("."):
        inner = _entered(value, part)
        if inner is None:
            return None
        location, value = (*location, inner[0]), inner[1]
    return location, value


def _entered(value: Any, part: str) -> tuple[str | int, Any] | None:
    """Return the key or index that a part of a field stands for in a value, and what is there."""
    if isinstance(value, BaseModel) and part in type(value).model_fields:
        return part, getattr(value, part)
    if isinstance(value, Mapping) and part in value:
        return part, value[part]
    if isinstance(value, tuple | list) and _INDEX.fullmatch(part) and int(part) < len(value):
        return int(part), value[int(part)]
    return None
