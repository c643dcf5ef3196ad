"""Foreign text in Markdown: names and texts of models stay text, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..errors import harmless

_LONGEST = 200
"""Characters of a name that are shown."""
_MARKS = re.compile(r"(?!(?<=\d)\.\d|(?<=[a-zA-Z0-9])_[a-zA-Z0-9])[^a-zA-Z0-9 ,'%()/+=;-]")
"""What may mean something in Markdown, HTML or a table; a `.` in a number and a `_` in a word do not."""


def line(text: object, limit: int = _LONGEST) -> str:
    """Return foreign text as one line of bounded length, without control characters."""
    cut = harmless(" ".join(str(text)[: 10 * limit].split()))
    return cut if len(cut) <= limit else cut[: limit - 3] + "..."


def inline(text: object) -> str:
    """Return foreign text to stand in a sentence or a table's cell.

    What Markdown or HTML could obey is written as a character reference, which every renderer shows as the character;
    letters of other scripts are left as they are.
    """
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};" if ord(found[0]) < 128 else found[0], line(text))


def fenced(text: str, language: str = "") -> str:
    """Return a block of code; its fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{harmless(text).rstrip()}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; figures and names are escaped, numbers are written as they are."""
    lines = [head, ["---"] * len(head), *([inline(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float | None) -> str:
    """Return a share as a card says it."""
    return "-" if share is None else f"{100 * share:.1f} %"
