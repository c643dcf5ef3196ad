"""Draw the cycle graph and the lesson subgraph for the documentation: `python -m tutelage.graphs.draw`."""

from __future__ import annotations

from typing import Any

from .cycle import build_cycle
from .lesson.graph import lesson_graph


def mermaid() -> str:
    """Return both graphs as Mermaid code blocks, straight from LangGraph."""
    drawings: dict[str, Any] = {
        "The cycle": build_cycle().compile(),
        "The lesson of one problem, inside `teach`": lesson_graph(),
    }
    blocks = [f"### {name}\n\n```mermaid\n{g.get_graph().draw_mermaid().strip()}\n```" for name, g in drawings.items()]
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    print(mermaid())
