"""The default embedder against its recipe, written out in a few lines."""

from __future__ import annotations

import pytest

from tutelage.memory.embedder import MiniLMEmbedder, _model_folder
from tutelage.plugins import Plugin, build

TEXTS = ["Ten minus four is six.", "", "subtraction with borrow " * 200, "A cat sat.", "What is 51 minus 26?"]


def test_vectors_follow_the_model_s_recipe() -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(_model_folder()))
    model = AutoModel.from_pretrained(str(_model_folder())).eval()
    got = torch.tensor(MiniLMEmbedder(batch_size=2).embed(TEXTS))
    assert got.shape == (len(TEXTS), 384)
    for text, vector in zip(TEXTS, got, strict=True):
        one = tokenizer([text], truncation=True, max_length=256, return_tensors="pt")  # alone: no padding, no mask
        with torch.no_grad():
            mean = model(**one).last_hidden_state[0].mean(0)
        assert torch.allclose(vector, mean / mean.norm(), atol=1e-5)


def test_like_meanings_are_near() -> None:
    embedder = build("embedders", Plugin(name="minilm"))
    a, b, c = embedder.embed(["The boy ate an apple.", "A child is eating fruit.", "Stock prices fell on Monday."])
    near, far = (sum(x * y for x, y in zip(a, other, strict=True)) for other in (b, c))
    assert near > 0.4 > far + 0.2
    assert embedder.embed([]) == []
