"""The embedders against their recipes, written out in a few lines."""

from __future__ import annotations

import pytest

from tutelage.memory.embedders.minilm import MiniLMEmbedder, model_folder
from tutelage.memory.embedders.static import StaticEmbedder
from tutelage.plugins import Plugin, build

TEXTS = ["Ten minus four is six.", "", "subtraction with borrow " * 200, "A cat sat.", "What is 51 minus 26?"]


def test_vectors_follow_the_model_s_recipe() -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(model_folder()))
    model = AutoModel.from_pretrained(str(model_folder())).eval()
    got = torch.tensor(MiniLMEmbedder(batch_size=2).embed(TEXTS))
    assert got.shape == (len(TEXTS), 384)
    for text, vector in zip(TEXTS, got, strict=True):
        one = tokenizer([text], truncation=True, max_length=256, return_tensors="pt")  # alone: no padding, no mask
        with torch.no_grad():
            mean = model(**one).last_hidden_state[0].mean(0)
        assert torch.allclose(vector, mean / mean.norm(), atol=1e-5)


def test_static_vectors_are_the_mean_of_the_model_s_input_table() -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(model_folder()))
    table = AutoModel.from_pretrained(str(model_folder())).embeddings.word_embeddings.weight.detach()
    for text, vector in zip(TEXTS, torch.tensor(StaticEmbedder().embed(TEXTS)), strict=True):
        ids = tokenizer(text, add_special_tokens=False, truncation=True, max_length=256)["input_ids"]
        mean = (table - table.mean(0))[ids or [tokenizer.unk_token_id]].mean(0)
        assert torch.allclose(vector, mean / mean.norm(), atol=1e-5)


@pytest.mark.parametrize("name", ["minilm", "static"])
def test_like_meanings_are_near(name: str) -> None:
    embedder = build("embedders", Plugin(name=name))
    a, b, c = embedder.embed(["The boy ate an apple.", "A child is eating fruit.", "Stock prices fell on Monday."])
    near, far = (sum(x * y for x, y in zip(a, other, strict=True)) for other in (b, c))
    assert near > far + 0.2 and (near > 0.4 or name == "static")
    assert embedder.embed([]) == []
