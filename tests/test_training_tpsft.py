"""Trust-region fine-tuning against its definition, in a few lines of torch with a second model for the old policy."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.batches import AlikeBatches, Rounds
from tutelage.training.dropout import disable_dropout
from tutelage.training.proximal import OldPolicy
from tutelage.training.sft import SFTStage
from tutelage.training.tpsft import TPSFTStage, tpsft_loss

SYSTEM = "End with 'Answer:'."
PLAIN: dict[str, Any] = {"warmup_steps": 0, "scheduler": "constant", "max_grad_norm": 1e9, "extra": {"optim": "sgd"}}


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(
            problem_id=f"p{n}",
            cycle=1,
            question=f"{n} + 1 =",
            text=f"{n} + 1 = {n + 1}. Answer: {n + 1}" + " ok" * (n % 3),
            origin="t",
            system=SYSTEM,
        )
        for n in range(10)
    )
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def reference(new: torch.Tensor, old: torch.Tensor, mask: torch.Tensor, epsilon: float) -> torch.Tensor:
    total, count = torch.zeros(()), 0
    for row in range(len(new)):
        for token in range(new.shape[1]):
            if mask[row, token]:
                r = torch.exp(new[row, token] - old[row, token])
                total, count = total + min(r, torch.clip(r, 1 - epsilon, 1 + epsilon)), count + 1
    return -total / count


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 6), st.floats(0.01, 0.9))
def test_loss_and_gradient_are_the_definition_s(seed: int, rows: int, tokens: int, epsilon: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    old = -3 * torch.rand(rows, tokens, generator=draw)
    mask = torch.rand(rows, tokens, generator=draw) < 0.7
    mask[0, 0] = True
    new = [(old + torch.randn(rows, tokens, generator=draw.manual_seed(seed))).requires_grad_() for _ in range(2)]
    ours, theirs = tpsft_loss(new[0], old, mask, epsilon), reference(new[1], old, mask, epsilon)
    ours.backward()
    theirs.backward()
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)
    torch.testing.assert_close(new[0].grad, new[1].grad, atol=1e-6, rtol=0)
    ratio = (new[0] - old).exp().detach()
    assert (new[0].grad[(ratio > 1 + epsilon) | ~mask] == 0).all()
    assert (new[0].grad[(ratio < 1 + epsilon) & mask] < 0).all()


def test_padding_may_be_anything_and_no_target_is_no_loss() -> None:
    old = torch.tensor([[-1.0, float("-inf")]])
    new = torch.tensor([[-1.0, float("-inf")]], requires_grad=True)
    loss = tpsft_loss(new, old, torch.tensor([[1, 0]]), 0.2)
    loss.backward()
    assert loss.item() == -1 and new.grad is not None and new.grad.tolist() == [[-1.0, 0.0]]
    assert tpsft_loss(new, old, torch.tensor([[0, 0]]), 0.2).item() == 0


def supervised(base: Path, lessons: list[Lesson]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and where they are targets, of the lessons padded on the right."""
    tokenizer, rows = load_tokenizer(base), []
    for one in lessons:
        prompt = f"<|im_start|>s{SYSTEM}<|im_end|><|im_start|>u{one.question}<|im_end|><|im_start|>a"
        rows.append([tokenizer(text)["input_ids"] for text in (prompt, f"{one.text}<|im_end|>")])
    width = max(len(before + answer) for before, answer in rows)
    tokens, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.bool)
    for at, (before, answer) in enumerate(rows):
        tokens[at, : len(before + answer)] = torch.tensor(before + answer)
        mask[at, len(before) : len(before + answer)] = True
    return tokens, mask


def log_probs(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens).logits[:, :-1].log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]


def by_hand(job: StageJob, stage: TPSFTStage, order: list[int], accumulate: int) -> tuple[Any, list[float]]:
    """The same training with a copy of the model for the old policy."""
    model = load_model(job.base, None, dtype="float32", device="cpu", merge=True)
    steps = [
        order[at : at + stage.batch_size * accumulate] for at in range(0, len(order), stage.batch_size * accumulate)
    ]
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=stage.learning_rate), []
    for number, rows in enumerate(steps):
        if number % stage.sync_every == 0:
            old = copy.deepcopy(model)
        tokens, mask = supervised(job.base, [job.lessons[row] for row in rows])
        with torch.no_grad():
            before = log_probs(old, tokens)
        loss = reference(log_probs(model, tokens), before, mask[:, 1:], stage.epsilon)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_is_that_with_a_second_model(job: StageJob, accumulate: int) -> None:
    stage = TPSFTStage(
        mode="full", modules=(), band=(0.0, 1.0), learning_rate=0.5, batch_size=4 // accumulate, epochs=5, sync_every=4,
        passes=2, epsilon=0.05, gradient_accumulation=accumulate, **PLAIN,
    )  # fmt: skip
    stage.check()
    report = stage.run(job)
    tokens, _ = supervised(job.base, list(job.lessons))
    rows = [[token for token in row if token] for row in tokens.tolist()]
    once = AlikeBatches(rows, stage.batch_size * accumulate, job.seed)
    order = list(Rounds(once, stage.batch_size, 5, passes=2, stretch=2 * accumulate))
    model, losses = by_hand(job, stage, order, accumulate)
    assert report.steps == len(losses) == 13
    assert report.metrics["first_loss"] == pytest.approx(losses[0], abs=1e-5) == pytest.approx(-1, abs=1e-5)
    assert report.loss == pytest.approx(losses[-1], abs=1e-4)
    after = load_model(job.base, job.out, dtype="float32", device="cpu", merge=True)
    moved = 0.0
    start = load_model(job.base, None, dtype="float32", device="cpu", merge=True)
    for ours, theirs, before in zip(after.parameters(), model.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)
        moved = max(moved, (ours - before).abs().max().item())
    assert moved > 1e-2 and 0.02 < report.metrics["clipped"] < 0.9


@pytest.mark.parametrize(("each", "scored"), [(False, [2]), (True, [1, 2, 2])])
def test_lessons_that_come_again_are_scored_once_unless_all_processes_must_keep_step(
    each: bool, scored: list[int]
) -> None:
    def batch(row: int) -> dict[str, torch.Tensor]:
        tokens = torch.tensor([[row, 7, 8]])
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens), "labels": tokens}

    seen: list[int] = []

    def score(one: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.append(int(one["input_ids"][0, 0]))
        return torch.tensor([-1.0, -2.0]) - len(seen)

    policy, ahead = OldPolicy(), [batch(row) for row in (1, 1, 2, 2)]
    policy.sync(ahead, 1, score, each=each)
    assert seen == scored
    first = scored.index(2) + 1
    assert policy.of(ahead[2], torch.zeros(2)).tolist() == [-1.0 - first, -2.0 - first]


def test_the_ratio_is_not_one_of_two_draws_of_dropout(base: Path) -> None:
    model = load_model(base, None, dtype="float32", device="cpu", merge=True).train()
    for block in model.model.layers:
        block.self_attn.attention_dropout = 0.5  # as a configuration with `attention_dropout: 0.5` makes it
    tokens = torch.arange(2, 30)[None]
    assert not torch.equal(model(tokens).logits, model(tokens).logits)
    disable_dropout(model)
    assert torch.equal(model(tokens).logits, model(tokens).logits)


def test_a_small_region_holds_the_student_back_and_a_boundless_one_does_not(job: StageJob) -> None:
    after = {}
    for name, options in {"tight": {"epsilon": 0.01}, "wide": {"epsilon": 0.99}}.items():
        stage = TPSFTStage(mode="full", learning_rate=3e-3, batch_size=5, epochs=8, warmup_steps=0, **options)
        after[name] = stage.run(replace(job, out=job.out.with_name(name))).metrics
        assert after[name]["last_nll"] < after[name]["first_nll"]
    assert after["tight"]["clipped"] > after["wide"]["clipped"]
    assert after["tight"]["last_nll"] > after["wide"]["last_nll"]


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_nothing_but_the_down_projections_of_the_band_changes(job: StageJob, mode: Any) -> None:
    TPSFTStage(mode=mode, epochs=2, learning_rate=1e-2, warmup_steps=0, weight_decay=0.1).run(job)
    before, after = (
        load_model(job.base, checkpoint, dtype="float32", device="cpu", merge=True).state_dict()
        for checkpoint in (None, job.out)
    )
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    depth = 1 + max(int(name.split(".")[2]) for name in before if name.startswith("model.layers."))
    band = [n for n in range(depth) if 0.4 <= (n + 0.5) / depth <= 0.9]
    assert changed == {f"model.layers.{n}.mlp.down_proj.weight" for n in band} and band


@settings(max_examples=60)
@given(
    st.integers(1, 30), st.integers(1, 5), st.floats(0.3, 9.0), st.integers(1, 5), st.integers(1, 6), st.integers(0, 99)
)
def test_every_lesson_is_gone_through_as_often_as_was_asked(
    rows: int, size: int, visits: float, passes: int, stretch: int, seed: int
) -> None:
    once = AlikeBatches([[row % 3, row] for row in range(rows)], size, seed)
    order = Rounds(once, size, visits, passes, stretch)
    seen = list(order)
    assert len(seen) == len(order) == round(visits * rows)
    often = Counter(seen)
    whole = int(visits)
    if visits == whole:
        assert set(often.values()) == {whole} and len(often) == rows
    assert max(often.values(), default=0) <= whole + max(1, passes)


def test_few_passes_in_all_are_not_spent_on_some_lessons_alone(job: StageJob) -> None:
    order = Rounds(AlikeBatches([[n] for n in range(9)], 3, 0), 3, 1.0, passes=4, stretch=2)
    assert sorted(order) == list(range(9))
    report = TPSFTStage(batch_size=5, max_steps=3, sync_every=4).run(job)
    assert report.steps == 3
    tokens = SFTStage(batch_size=5, epochs=2).run(replace(job, out=job.out.with_name("sft"))).tokens
    assert TPSFTStage(batch_size=5, epochs=2).run(replace(job, out=job.out.with_name("two"))).tokens == tokens


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 1.5}, "epsilon: 1.5 is no small change"),
        ({"epsilon": 0.0}, "epsilon: must be more than 0"),
        ({"sync_every": 9}, "passes: 2 passes cannot make stretches of 9 steps"),
        ({"extra": {"loss_type": "dft"}}, "loss_type is decided by the stage"),
        ({"extra": {"train_sampling_strategy": "sequential"}}, "train_sampling_strategy is decided by the stage"),
        ({"extra": {"auto_find_batch_size": True}}, "is decided by gradient_accumulation: auto"),
        ({"band": (0.9, 0.4)}, "is no part of"),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        TPSFTStage(**options).check()
    assert "\n" not in str(caught.value)


def test_the_default_options_are_right() -> None:
    build("stages", Plugin(name="tpsft", options={"band": [0.5, 1.0]})).check()
