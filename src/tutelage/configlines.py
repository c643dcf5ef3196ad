"""At which line of a configuration file, or in which override, a field stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from .refusal import Location

_OF_THE_NAME = re.compile(
    r"unknown name|unknown option|cannot be imported|cannot be made| lacks | is a class|is a ready object|is missing"
)
"""What is said where a plug-in is another one than was meant."""


def line_of(root: yaml.Node | None, location: Location) -> int | None:
    """Return the line, from 1, of the deepest part of a location that the file holds."""
    node, line = root, None
    for part in location:
        if part == 0 and isinstance(node, yaml.MappingNode):  # one plug-in where a list may stand
            continue
        found = _within(node, part)
        if found is None:
            break
        line, node = found
    return line


def set_by(location: Location, overrides: Sequence[str], message: str = "") -> str | None:
    """Return the last override of a field, of what it is in, or of what in it a message names.

    Args:
        location: Of the field.
        overrides: `a.b=value` each.
        message: What is wrong with the field.
    """
    for override in reversed(overrides):
        key = override.partition("=")[0]
        if any(_brought(field, key, message) for field in _spellings(location)):
            return told_override(override)
    return None


def told_override(override: str) -> str:
    """Return an override as a message names it: without its value where that is an address, which may hold a password.

    Args:
        override: `a.b=value`.
    """
    key, _, value = override.partition("=")
    return f"--set {key if '//' in value else override}"


def of_the_name(message: str) -> bool:
    """Whether a message may well be about which plug-in was named."""
    return _OF_THE_NAME.search(message) is not None


def _spellings(location: Location) -> set[str]:
    """Return a field as overrides may write it: the first of a list may stand there without one."""
    return {".".join(map(str, location)), ".".join(str(part) for part in location if part != 0)}


def _brought(field: str, key: str, message: str) -> bool:
    if f"{field}.".startswith(f"{key}."):
        return True
    if not key.startswith(f"{field}."):
        return False
    if key == f"{field}.name":
        return of_the_name(message)
    last = key.rpartition(".")[2]
    return last.isidentifier() and re.search(rf"\b{re.escape(last)}\b", message) is not None


def _within(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line and the node of one part of a node, if it is there."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
