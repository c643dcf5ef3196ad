"""The CPU's loss and batches against their definitions, in a few lines of torch."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma2Config, Gemma2ForCausalLM, GraniteConfig, GraniteForCausalLM

from tutelage.checkpoints import load_model
from tutelage.training.batches import HEAD, AlikeBatches
from tutelage.training.checks import IGNORED
from tutelage.training.loss import has_plain_head, shared_prefix, supervised_loss


def batch(shared: int, prompts: list[int], answers: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    """Rows with so many tokens in common, then prompts and answers of these lengths, padded on the right."""
    generator = torch.Generator().manual_seed(seed)
    width = shared + max(p + a for p, a in zip(prompts, answers, strict=True))
    shape = (len(prompts), width)
    tokens = torch.randint(5, 20, shape, generator=generator)
    tokens[:, :shared] = tokens[0, :shared]
    tokens[:, shared] = torch.arange(len(prompts)) + 5  # so that no more is shared than was asked for
    attended, labels = torch.zeros(shape, dtype=torch.long), torch.full(shape, IGNORED)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        end = shared + prompt + answer
        attended[row, :end] = 1
        labels[row, shared + prompt : end] = tokens[row, shared + prompt : end]
    return {"input_ids": tokens, "attention_mask": attended, "labels": labels}


@pytest.mark.parametrize("shared", [0, 1, 7])
def test_loss_and_gradient_are_those_of_a_plain_computation(base: Path, shared: int) -> None:
    rows = batch(shared, prompts=[3, 5, 2], answers=[4, 1, 6])
    gradients, losses = [], []
    for ours in (True, False):
        model = load_model(base, None, dtype="float32", device="cpu", merge=True)
        if ours:
            loss = supervised_loss(model, rows, None)
        else:
            logits = model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]).logits[:, :-1]
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows["labels"][:, 1:].flatten())
        loss.backward()
        losses.append(float(loss))
        gradients.append(torch.cat([weight.grad.flatten() for weight in model.parameters()]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)
    assert gradients[1].abs().max() > 1e-3


def test_a_model_that_scales_or_caps_its_logits_is_not_scored_apart(base: Path) -> None:
    size = {
        "vocab_size": 32,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
    }
    torch.manual_seed(0)
    capped = Gemma2ForCausalLM(Gemma2Config(**size, final_logit_softcapping=30.0))
    scaled = GraniteForCausalLM(GraniteConfig(**size, logits_scaling=8.0))
    assert not has_plain_head(capped) and not has_plain_head(scaled)
    assert has_plain_head(load_model(base, None, dtype="float32", device="cpu", merge=True))


def test_the_shared_prefix_ends_before_the_first_supervised_token() -> None:
    rows = batch(7, prompts=[3, 5], answers=[4, 2])
    assert shared_prefix(rows["input_ids"], rows["attention_mask"], rows["labels"]) == 7
    same = {name: value[:1].repeat(2, 1) for name, value in rows.items()}
    assert shared_prefix(same["input_ids"], same["attention_mask"], same["labels"]) == 9  # prompt of 10, less one
    left = rows["attention_mask"].clone()
    left[0, 0] = 0
    assert shared_prefix(rows["input_ids"], left, rows["labels"]) == 0
    alone = {name: value[:1] for name, value in rows.items()}
    assert shared_prefix(alone["input_ids"], alone["attention_mask"], alone["labels"]) == 0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(1, 30)), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(0, 3),
)
def test_each_epoch_has_every_row_once_and_batches_of_one_instruction(
    kinds: list[tuple[int, int]], size: int, epoch: int
) -> None:
    rows = [[kind] * (HEAD + length) for kind, length in kinds]
    sampler = AlikeBatches(rows, size, seed=1)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(rows)))
    assert order == list(sampler)
    mixed = sum(len({kinds[row][0] for row in order[i : i + size]}) > 1 for i in range(0, len(order), size))
    assert mixed <= 1


def test_batches_are_of_like_length_and_in_another_order_each_epoch() -> None:
    rows = [[1] * (HEAD + row % 10) for row in range(100)]
    sampler = AlikeBatches(rows, 10, seed=1)
    orders = []
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        lengths = [[len(rows[row]) for row in orders[-1][i : i + 10]] for i in range(0, 100, 10)]
        assert all(len(set(some)) == 1 for some in lengths)
        assert [some[0] for some in lengths] != sorted(some[0] for some in lengths)
    assert orders[0] != orders[1]
