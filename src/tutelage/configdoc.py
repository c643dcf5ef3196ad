"""Write the reference of every configuration field: `python -m tutelage.configdoc > docs/configuration.md`."""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .config import RunConfig
from .plugins import Plugin
from .policies import POLICIES, about, settings_of

_HEAD = """# Configuration

One YAML file describes a run. Every field has a default but `task`; an unknown key is refused with the nearest known
name, and `--set a.b=value` overrides any field from the command line; `--set teachers.0.options.grain=fine` reaches
into lists. A plug-in is a bare name, or `{name: ..., options: {...}}`; see [plugins](plugins.md). Relative paths and
modules are looked for in the folder where the command is started, also by `resume`.

This page is printed by `python -m tutelage.configdoc` from the classes in `src/tutelage/config.py`; a test compares.
"""


def markdown() -> str:
    """Return the page: one table a section."""
    sections = [_table("(top level)", RunConfig)]
    for name, field in RunConfig.model_fields.items():
        section = _section(field.annotation)
        if section:
            sections.append(_table(name, section))
    sections.append(_policies())
    return _HEAD + "\n" + "\n".join(sections)


def _policies() -> str:
    rows = [
        "## The policies",
        "",
        "What `policy: NAME` fills in where the file says nothing; [policies](policies.md) says what each is for.",
        "",
        "| policy | sets | what |",
        "|---|---|---|",
    ]
    for name in POLICIES:
        sets = ", ".join(f"`{field}: {json.dumps(value)}`" for field, value in settings_of(name).items())
        rows.append(f"| `{name}` | {sets} | {about(name)} |")
    return "\n".join(rows) + "\n"


def _section(annotation: Any) -> type[BaseModel] | None:
    kinds = [annotation, *get_args(annotation)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return next((model for model in models if model is not Plugin), None)


def _table(name: str, model: type[BaseModel]) -> str:
    rows = [
        f"## {name}",
        "",
        (model.__doc__ or "").strip().splitlines()[0],
        "",
        "| field | default | what |",
        "|---|---|---|",
    ]
    rows += [f"| `{key}` | {_default(field)} | {_what(key, field)} |" for key, field in model.model_fields.items()]
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) and not isinstance(value, Plugin):
        return "see below"
    return f"`{json.dumps(_plain(value))}`"


def _plain(value: Any) -> Any:
    if isinstance(value, Plugin):
        return value.name if not value.options else value.model_dump()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _what(key: str, field: FieldInfo) -> str:
    text = field.description or f"the section `{key}`" + (" or plug-in" if not _section(field.annotation) else "")
    return " ".join(text.split())


if __name__ == "__main__":
    print(markdown(), end="")
