"""What pydantic refuses, in the words of somebody who writes YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import short

if TYPE_CHECKING:
    from pydantic import ValidationError

Location = tuple[str | int, ...]
"""Keys and indexes that lead to a field."""

_NUMBER, _WHOLE, _TEXT = "must be a number", "must be a whole number", "must be a text"
_LIST, _MAPPING = "must be a list", "must be a mapping of names to values"
_SECTION = "must be a mapping of fields to values"
_PLAINLY = {
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": _TEXT,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "sequence_str": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
}
"""By the types of pydantic's errors."""
_BOUNDED = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs {min_length} or more",
    "too_long": "may have at most {max_length}",
    "string_pattern_mismatch": "must match {pattern}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""Those that name a bound, or what would do."""
_INSTANCE = {"Sequence": _LIST, "Mapping": _MAPPING}
"""By the class that `is_instance_of` asks for."""

_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
_TYPES = frozenset({"int", "float", "str", "bool", "bytes", "none", "any", "date", "datetime", "decimal"})


def first_refused(error: ValidationError, given: object) -> str:
    """Return what pydantic refuses first: the field, why, and the value unless a message of ours has named it.

    Args:
        error: What it raised.
        given: What it was to check.
    """
    first = error.errors()[0]
    place = place_of(first["loc"], given, first["type"] == "missing")
    field = ".".join(map(str, place)) + ": " if place else ""
    if first["type"] == "missing":
        return f"{field}is missing in {short(first['input'])}"
    return f"{field}{why_refused(error, given)}"


def why_refused(error: ValidationError, given: object) -> str:
    """Return why pydantic refuses a value, and the value; the words that would do in its place are named too."""
    first, *others = error.errors()
    if first["type"] == "value_error":  # ours: it says what was given
        return str(first["ctx"]["error"])
    told = _PLAINLY.get(first["type"], first["msg"])
    if first["type"] in _BOUNDED:
        told = _BOUNDED[first["type"]].format(**first["ctx"])
    if first["type"] == "is_instance_of":
        told = _INSTANCE.get(first["ctx"]["class"], told)
    place = place_of(first["loc"], given)
    words = [
        one["ctx"]["expected"]
        for one in others
        if one["type"] == "literal_error" and place_of(one["loc"], given) == place
    ]
    return f"{' or '.join([told, *words])}, not {short(first.get('input'))}"


def place_of(location: Location, given: object, missing: bool = False) -> Location:
    """Return where in what was given an error is, without pydantic's names for the types of a union.

    A part that what was given has is a key of it, however it is spelt.

    Args:
        location: As pydantic has it.
        given: What it was to check.
        missing: Whether the last part is not there.
    """
    place: list[str | int] = []
    value: Any = given
    for number, part in enumerate(location):
        found, inner = _within(value, part)
        if found:
            value = inner
        elif _is_type(part) and not (missing and number == len(location) - 1):
            continue
        place.append(part)
    return tuple(place)


def _within(value: Any, part: str | int) -> tuple[bool, Any]:
    """Return whether a value has a part, and the part."""
    if isinstance(value, Mapping):
        return part in value, value.get(part)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and isinstance(part, int):
        return (True, value[part]) if part < len(value) else (False, None)
    return False, None


def _is_type(part: str | int) -> bool:
    return isinstance(part, str) and (part in _TYPES or _FIELD.fullmatch(part) is None)
