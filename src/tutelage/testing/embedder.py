"""A deterministic embedder without a model, for tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np


class HashEmbedder:
    """A hashed bag of words: texts that share words are near one another.

    Attributes:
        calls: How many texts each call of `embed` was given.
    """

    def __init__(self, size: int = 64, name: str = "hash") -> None:
        """Choose the length of the vectors and the name of their space."""
        self.name = name
        self.size = size
        self.calls: list[int] = []

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector a text."""
        self.calls.append(len(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = np.zeros(self.size)
        for word in re.findall(r"\w+|[^\w\s]", text.lower()):
            digest = blake2b(word.encode(), digest_size=8).digest()
            vector[int.from_bytes(digest[:4], "little") % self.size] += 1.0 if digest[4] % 2 else -1.0
        if not vector.any():
            vector[0] = 1.0
        return [float(x) for x in vector / np.linalg.norm(vector)]
