"""The anchor's divergence against its definition, and its batches."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.schema import Lesson
from tutelage.tiny import build_tiny_student
from tutelage.training.anchor import Anchor, divergence
from tutelage.training.checks import IGNORED
from tutelage.training.sft import row_of


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_student(tmp_path_factory.mktemp("tiny"), pretrained=False)


def adapted(base: Path) -> torch.nn.Module:
    config = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(load_model(base, None, dtype="float32", device="cpu", merge=True), config)


def batch() -> dict[str, torch.Tensor]:
    tokens = torch.tensor([[5, 6, 7, 8, 9, 10], [5, 6, 9, 8, 7, 0]])
    attended = torch.tensor([[1] * 6, [1] * 5 + [0]])
    labels = torch.where(attended.bool(), tokens, IGNORED)
    labels[:, :3] = IGNORED
    return {"input_ids": tokens, "attention_mask": attended, "labels": labels}


def test_the_divergence_is_the_mean_over_supervised_tokens(base: Path) -> None:
    model, rows = adapted(base), batch()
    assert float(divergence(model, model, rows).detach()) == pytest.approx(0.0, abs=1e-6)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    given = {name: rows[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        after = model(**given).logits.log_softmax(-1)
        with model.disable_adapter():
            before = model(**given).logits.log_softmax(-1)
    kl = (before.exp() * (before - after)).sum(-1)[:, :-1]
    expected = kl[rows["labels"][:, 1:] != IGNORED].mean()
    value = divergence(model, model, rows)
    assert float(value.detach()) == pytest.approx(float(expected), rel=1e-4)
    value.backward()
    assert all(weight.grad is not None for name, weight in model.named_parameters() if "lora_" in name)


def test_every_answer_comes_round(base: Path) -> None:
    lessons = [
        Lesson(problem_id=str(n), cycle=0, question=f"{n}?", text=str(n), origin="replay", system=None)
        for n in range(10, 17)
    ]
    model = adapted(base)
    anchor = Anchor([row_of(lesson) for lesson in lessons], load_tokenizer(base), batch_size=3, weight=2.0, seed=0)
    assert len(anchor) == 3
    values = [float(anchor.loss(model, model).detach()) for _ in range(6)]
    assert len(anchor.divergences) == 6
    assert values == pytest.approx([0.0] * 6, abs=1e-6)
