"""What turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors."""

    name: str
    """Names the vectors' space: an index made with another name is rebuilt."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector a text."""
        ...
