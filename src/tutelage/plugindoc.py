"""Write the reference of every built-in plug-in's options: `python -m tutelage.plugindoc > docs/options.md`.

Needs the `dev` extra: griffe reads the docstrings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from .plugins import SEAMS, installed, resolve

if TYPE_CHECKING:
    import griffe

_HEAD = """# Options of the built-in plug-ins

What may stand under `options` of each name, as in `{name: sft, options: {rank: 8}}`. `tutelage plugins` lists the names
that are installed, yours included; [plugins](plugins.md) says how to add one.

This page is printed by `python -m tutelage.plugindoc` from the signatures and docstrings; a test compares.
"""

_SIMPLE = (str, int, float, bool)

_OFFERED = {"ledger", "task_prerequisites"}
"""Parameters that the run alone fills."""
_SEEDED = ("tasks", "teachers")
"""Seams whose `seed` is the run's if none is given."""


def markdown() -> str:
    """Return the page: one section a seam, one table a name."""
    parts = [_HEAD]
    for seam in SEAMS:
        if seam == "engines":  # the section `student` of the configuration has their options
            continue
        ours = [row for row in installed() if row.seam == seam and row.package == "tutelage"]
        if ours:
            parts += [f"## {seam}\n", *(_plugin(seam, row.name) for row in ours)]
    return "\n".join(parts)


def _plugin(seam: str, name: str) -> str:
    target = resolve(seam, name)
    summary = _one_line((inspect.getdoc(target) or "").split("\n\n")[0])
    rows = [f"| `{option}` | `{kind}` | {default} | {what} |" for option, kind, default, what in _options(seam, target)]
    table = ["| option | type | default | what |", "|---|---|---|---|", *rows] if rows else ["No options."]
    return "\n".join([f"### {name}", "", summary, "", *table, ""])


def _options(seam: str, target: Any) -> Iterator[tuple[str, str, str, str]]:
    told = _told(target)
    # Without the bounds, which an error names; an inherited field is read in the module that it comes from.
    types = get_type_hints(target if is_dataclass(target) else target.__init__)
    for parameter in inspect.signature(target).parameters.values():
        if parameter.name in _OFFERED:
            continue
        required = parameter.default is parameter.empty
        default = "required" if required else f"`{_plain(parameter.default)}`"
        if parameter.name == "seed" and seam in _SEEDED:
            default = "the run's `seed`"
        yield parameter.name, _kind(types[parameter.name]), default, told.get(parameter.name, "")


def _kind(annotation: Any) -> str:
    """Return a type as a reader of the configuration says it."""
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    told = ", ".join(map(repr, choices)) or (annotation.__name__ if annotation in _SIMPLE else str(annotation))
    told = re.sub(r"Optional\[(.*)\]", r"\1 | None", told)
    return re.sub(r"\b(typing|collections\.abc|tutelage[\w.]*(?=\.[A-Z]))\.", "", told).replace("|", "\\|")


def _plain(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _told(target: Any) -> dict[str, str]:
    """Return what the docstrings say of each parameter, those of its bases included."""
    classes = [one for one in reversed(inspect.getmro(target)) if one.__module__.startswith("tutelage.")]
    return {name: text for one in classes for name, text in _told_in(one).items()}


def _told_in(target: type) -> dict[str, str]:
    """Return what is said of each parameter by a class, by its constructor, and under its fields."""
    source = _source(Path(inspect.getfile(target)))[target.__name__]
    found = {name: member.docstring.value for name, member in source.members.items() if member.docstring}
    for text in [source.docstring, getattr(source.members.get("__init__"), "docstring", None)]:
        for section in text.parse("google") if text else ():
            if section.kind.value == "parameters":
                found.update({parameter.name: parameter.description for parameter in section.value})
    return {name: _one_line(text) for name, text in found.items()}


@cache
def _source(path: Path) -> griffe.Module:
    import griffe

    return griffe.visit(path.stem, path, path.read_text(encoding="utf-8"))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    import logging

    logging.getLogger("griffe").setLevel(logging.ERROR)
    print(markdown(), end="")
