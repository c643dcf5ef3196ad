"""Foreign text for a page: nothing in it is markup, a command to a terminal, or no text at all."""

from __future__ import annotations

import html
from typing import Any

from ..errors import harmless

_LABEL = 60
"""Characters of a name in a chart."""


def clean(value: Any) -> Any:
    """Return a document with all its texts as any reader can show them: control characters and torn ones replaced."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {clean(key): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value


def label(name: str) -> str:
    """Return a name for a chart; Plotly reads some markup in labels."""
    shown = clean(name)
    return html.escape(shown if len(shown) <= _LABEL else f"{shown[: _LABEL - 3]}...", quote=False)
