"""Texts as vectors: each distinct text is embedded once, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...plugins import Plugin, build
from ...seams import Embedder
from .clusters import Floats
from .wording import NUMBER

_AT_ONCE: Final = 1000
"""Texts embedded at once: an embedder returns lists, which take ten times the room of an array."""


class Texts:
    """Embeds texts by an embedder that is made at the first."""

    def __init__(self, encoder: str) -> None:
        """Name the embedder; it is not made yet."""
        self._encoder = encoder
        self._embedder: Embedder | None = None

    def check(self) -> None:
        """Raise InputError if there is no such embedder."""
        if self._embedder is None:
            self._embedder = build("embedders", Plugin(name=self._encoder))

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one unit-length vector a text, [texts, size]; equal texts are embedded once."""
        self.check()
        assert self._embedder is not None
        distinct = list(dict.fromkeys(text or NUMBER for text in texts))
        parts = [
            np.array(self._embedder.embed(distinct[at : at + _AT_ONCE]), np.float32)
            for at in range(0, len(distinct), _AT_ONCE)
        ]
        if not parts:
            return np.zeros((0, 1), np.float32)
        vectors = np.concatenate(parts)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        row = {text: at for at, text in enumerate(distinct)}
        return vectors[[row[text or NUMBER] for text in texts]]
