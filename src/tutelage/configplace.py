"""At which line of a configuration file stands what a message is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from .config import RunConfig
from .plugins import Plugin

Location = tuple[str | int, ...]
"""Keys and indexes that lead to a field."""

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
    "engines": [("student", "engine")],
}
"""Where a configuration has the plug-ins of each seam."""

_FIELD = re.compile(r"([a-z_]+(?:\.\w+)*): ")
_PLUGIN = re.compile(r"([a-z]+): '?(\S+?)'?:?\s")


def with_place(message: str, config: RunConfig, source: Path, overrides: Sequence[str] = ()) -> str:
    """Return a message with the file and line of the field or plug-in that it begins with, or the override.

    Args:
        message: As it would be told; one that begins with neither is returned as it is.
        config: What the file and the overrides say.
        source: The configuration file.
        overrides: Those given beside it, `a.b=value` each.
    """
    location = _location(message, config)
    if location is None:
        return message
    root = yaml.compose(source.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    field = ".".join(map(str, location))
    line = line_of(root, location)
    return f"{set_by(field, overrides) or (f'{source}:{line}' if line else str(source))}: {message}"


def set_by(field: str, overrides: Sequence[str]) -> str | None:
    """Return the last override of a field, or of what it is in."""
    found = [one for one in overrides if f"{field}.".startswith(one.partition("=")[0] + ".")]
    return f"--set {found[-1]}" if found else None


def line_of(root: yaml.Node | None, location: Location) -> int | None:
    """Return the line, from 1, of the deepest part of a location that the file holds."""
    node, line = root, None
    for part in location:
        found = _within(node, part)
        if found is None:
            break
        line, node = found
    return line


def _within(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line and the node of one part of a node, if it is there."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _location(message: str, config: RunConfig) -> Location | None:
    """Return where what a message begins with stands, as exactly as can be told."""
    if (plugin := _PLUGIN.match(message)) and plugin[1] in SECTIONS:
        found = [one for section in SECTIONS[plugin[1]] for one in _named(config, section, plugin[2], message)]
        exact = [one for one in found if "options" in one] or found
        return exact[0] if len(exact) == 1 else None
    field = _FIELD.match(message)
    if field and field[1].partition(".")[0] in RunConfig.model_fields:
        return tuple(int(part) if part.isdigit() else part for part in field[1].split("."))
    return None


def _named(config: RunConfig, section: Location, name: str, message: str) -> Iterator[Location]:
    """Yield the plug-ins of a name in a section, each with that of its options which the message names, if any."""
    for location, plugin in _plugins(config, section):
        if plugin.name == name:
            named = [option for option in plugin.options if re.search(rf"\b{re.escape(option)}\b", message)]
            yield (*location, "options", named[0]) if named else location


def _plugins(config: RunConfig, section: Location) -> Iterator[tuple[Location, Plugin]]:
    """Yield the plug-ins of a section and where they stand."""
    value: object = config
    for part in section:
        value = getattr(value, str(part), None)
    if isinstance(value, Plugin):
        yield section, value
    if isinstance(value, tuple):
        yield from (((*section, at), one) for at, one in enumerate(value))
