"""The default embedder: the token vectors of MiniLM, averaged, without running its network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .minilm import MAX_TOKENS, model_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TABLE = "embeddings.word_embeddings.weight"
UNKNOWN = "[UNK]"
MAX_CHARACTERS = 20 * MAX_TOKENS
"""Of a text; the rest could hardly be among the tokens that are kept, and would take long to be cut."""


class StaticEmbedder:
    """Unit-length mean of a text's token vectors, 384 numbers; the order of the words does not count.

    The vectors are the input table of all-MiniLM-L6-v2, less the mean of the table: what all tokens have in common
    says nothing (Mu and Viswanath 2018, "All-but-the-Top", arXiv 1702.01417, section 2).
    """

    name = "static"

    def __init__(self) -> None:
        """Load nothing yet; the table is read when the first text comes."""
        self._parts: tuple[Tokenizer, npt.NDArray[np.float32]] | None = None
        self._mutex = threading.Lock()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector a text; a text without a token counts as an unknown word.

        Raises:
            InputError: If the package with the model is not installed.
        """
        with self._mutex:
            tokenizer, table = self._load()
            shortened = [text[:MAX_CHARACTERS] for text in texts]
            tokens = [found.ids for found in tokenizer.encode_batch(shortened, add_special_tokens=False)]
            unknown = tokenizer.encode(UNKNOWN, add_special_tokens=False).ids
        means = (table[ids or unknown].mean(0) for ids in tokens)
        return [[float(x) for x in mean / np.linalg.norm(mean)] for mean in means]

    def _load(self) -> tuple[Tokenizer, npt.NDArray[np.float32]]:
        if self._parts is None:
            from safetensors import safe_open
            from tokenizers import Tokenizer

            folder = model_folder()
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.enable_truncation(MAX_TOKENS)
            with safe_open(folder / "model.safetensors", framework="numpy") as file:
                table = np.asarray(file.get_tensor(TABLE), np.float32)
            self._parts = tokenizer, table - table.mean(0)
        return self._parts
