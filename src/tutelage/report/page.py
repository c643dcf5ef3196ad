"""A page with all that it needs in it."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from .. import jsonl
from ..errors import InputError
from .clean import clean
from .figures import percent, points

_PARTS = "page-parts"  # no name that setuptools takes for a package
PLOTLY = "plotly"
"""Stands for the charting library among the scripts of a page."""


_MARK = b'<meta name="generator" content="Tutelage">'
"""Stands near the beginning of each page."""


def require_replaceable(out: Path) -> None:
    """Refuse to write over a file that is no page; an empty one holds nothing that could be lost.

    Raises:
        InputError: If it is not.
    """
    if not out.exists() or (out.is_file() and not out.stat().st_size):
        return
    with out.open("rb") as file:
        if _MARK not in file.read(1000):
            raise InputError(f"--out {out}: exists, and is no page that Tutelage wrote; name another file")


def write_page(out: Path, template: str, scripts: tuple[str, ...], told: dict[str, Any]) -> None:
    """Write a page; it appears whole, and lets no script run but its own.

    Args:
        out: The file.
        template: A file of the folder `page-parts`.
        scripts: Files of it and `PLOTLY`, in the order in which they run.
        told: What the page tells; its texts are made harmless, and the template escapes them.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    folder = files("tutelage.report") / _PARTS
    sources = [get_plotlyjs() if name == PLOTLY else (folder / name).read_text() for name in scripts]
    options: Any = {"autoescape": True, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=PackageLoader("tutelage.report", _PARTS), **options)
    environment.filters.update(percent=percent, points=points)
    page = environment.get_template(template)
    shared = {"style": (folder / "style.css").read_text(), "scripts": [_script(source) for source in sources]}
    jsonl.write_atomic(out, page.render(**shared, **clean(told)))


def _script(source: str) -> dict[str, str]:
    """Return a script, and how a content security policy names it."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return {"text": source, "hash": f"'sha256-{digest}'"}
