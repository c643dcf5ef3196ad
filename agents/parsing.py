"""Read what chat models say."""

from __future__ import annotations


def clean(text: str) -> str:
    """Take out `<think>` blocks and the lines of code fences; what is between the fences stays.

    A block that never ends runs to the end of the text; one that never began, from its beginning (some servers put
    the opening tag into the prompt).
    """
    kept, rest = [], text
    while rest:
        before, opened, inside = rest.partition("<think>")
        kept.append(before.rpartition("</think>")[2])
        rest = inside.partition("</think>")[2] if opened else ""
    lines = [line for line in "".join(kept).splitlines() if not line.lstrip().startswith("```")]
    return "\n".join(lines).strip()
