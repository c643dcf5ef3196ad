"""The drift of an adapted student against its definition: what each layer's output moves by, in plain torch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.errors import InputError, RunError
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.drift import Drift
from tutelage.training.sft import SFTStage, row_of

TEXTS = ["1 + 2 = 3.", "a longer answer than the others, so that they are padded", "4", "5 5 5 5", "what? no."]


@pytest.fixture
def adapted(base: Path) -> Any:
    """The tiny student with an adapter that has learnt something."""
    torch.manual_seed(0)
    config = LoraConfig(r=2, lora_alpha=6, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(load_model(base, None, dtype="float32", device="cpu", merge=True), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return model


def replays(texts: list[str]) -> tuple[Lesson, ...]:
    """The base student's own answers."""
    return tuple(Lesson(problem_id=text, cycle=0, question=f"say {text}", text=text, origin="replay") for text in texts)


def rows(texts: list[str]) -> list[dict[str, Any]]:
    return [row_of(lesson) for lesson in replays(texts)]


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    """Six sums to learn beside what is rehearsed."""
    sums = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}.", origin="t")
        for n in range(6)
    )
    return StageJob(
        1, base, None, tmp_path / "out", (*sums, *replays(TEXTS)), seed=3, device="cpu", precision="float32"
    )


def moved(model: Any, tokenizer: Any, texts: list[str]) -> float:
    """Return the sum over layers of E|D x|^2 / E|W x|^2, one text at a time, by running the base student."""
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, Linear)}
    outputs = {name: [0.0, 0.0] for name in layers}

    def watch(name: str) -> Any:
        def hook(layer: Any, inputs: tuple[Any, ...]) -> None:
            x = inputs[0][0, 1:]
            delta, weight = layer.get_delta_weight("default"), layer.base_layer.weight
            outputs[name][0] += float((x @ delta.T).square().sum())
            outputs[name][1] += float((x @ weight.T).square().sum())

        return hook

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers.items()]
    with torch.no_grad(), model.disable_adapter():
        for row in rows(texts):
            messages = [*row["prompt"], *row["completion"]]
            asked = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
            tokens = tokenizer(asked + messages[-1]["content"] + tokenizer.eos_token, add_special_tokens=False)
            model(input_ids=torch.tensor([tokens["input_ids"]]))
    for hook in hooks:
        hook.remove()
    return sum(change / size for change, size in outputs.values())


def test_the_drift_is_what_the_outputs_move_by(base: Path, adapted: Any) -> None:
    tokenizer = load_tokenizer(base)
    drift = Drift(adapted, tokenizer, rows(TEXTS), weight=2.0)
    assert float(drift.value().detach()) == pytest.approx(moved(adapted, tokenizer, TEXTS), rel=1e-4)
    assert float(drift.pull().detach()) == 0.0


@pytest.mark.parametrize("kind", ["q_proj.lora_A", "k_proj.lora_B", "down_proj.lora_A", "up_proj.lora_B"])
def test_its_gradient_is_that_of_the_outputs(base: Path, adapted: Any, kind: str) -> None:
    tokenizer = load_tokenizer(base)
    Drift(adapted, tokenizer, rows(TEXTS), weight=3.0).pull().backward()
    trained = {name: weight for name, weight in adapted.named_parameters() if weight.grad is not None}
    assert all("lora_" in name for name in trained) and len(trained) == 14 * adapted.config.num_hidden_layers
    weight = next(weight for name, weight in trained.items() if kind in name)
    step = 1e-3 * weight.grad.sign()
    weight.data += step
    ahead = moved(adapted, tokenizer, TEXTS)
    weight.data -= 2 * step
    behind = moved(adapted, tokenizer, TEXTS)
    assert 3 * (ahead - behind) / 2 == pytest.approx(float((weight.grad * step).sum()), rel=0.01)


def test_a_bias_is_not_counted_as_what_the_weights_say(base: Path, adapted: Any) -> None:
    layer = next(layer for layer in adapted.modules() if isinstance(layer, Linear))
    layer.base_layer.bias = torch.nn.Parameter(torch.full((layer.base_layer.out_features,), 5.0))
    tokenizer = load_tokenizer(base)
    value = Drift(adapted, tokenizer, rows(TEXTS), weight=1.0).value()
    assert float(value.detach()) == pytest.approx(moved(adapted, tokenizer, TEXTS), rel=1e-4)


def test_a_layer_that_sees_some_tokens_only_is_refused_by_name_of_the_option(base: Path, adapted: Any) -> None:
    decoder = adapted.get_decoder().layers[0].mlp
    whole = decoder.forward
    decoder.forward = lambda x: whole(x[:, 1:]).new_zeros(x.shape)
    with pytest.raises(RunError, match="modules"):
        Drift(adapted, load_tokenizer(base), rows(TEXTS), weight=1.0)


def test_a_new_adapter_has_none(base: Path, adapted: Any) -> None:
    tokenizer = load_tokenizer(base)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()
    assert float(Drift(adapted, tokenizer, rows(TEXTS), weight=1.0).value().detach()) == 0.0


def test_nothing_to_rehearse_and_no_adapter_are_errors(base: Path, adapted: Any) -> None:
    tokenizer = load_tokenizer(base)
    with pytest.raises(RunError, match=r"retention\.rehearse"):
        Drift(adapted, tokenizer, [], weight=1.0)
    plain = load_model(base, None, dtype="float32", device="cpu", merge=True)
    with pytest.raises(RunError, match="adapter"):
        Drift(plain, tokenizer, rows(TEXTS), weight=1.0)


OPTIONS = {"learning_rate": 1e-2, "epochs": 8, "warmup_steps": 0}


def test_its_weight_holds_it(job: StageJob) -> None:
    drift = {}
    for weight in (1e-6, 1.0):
        stage = SFTStage(drift=weight, batch_size=3, **OPTIONS)
        report = stage.run(replace(job, out=job.out.with_name(f"drift-{weight:g}")))
        drift[weight] = report.metrics["drift"]
        assert report.metrics["lessons"] == 6
    assert 0 < drift[1.0] < 0.5 * drift[1e-6]


def test_its_pull_does_not_grow_with_the_batches_of_a_step(job: StageJob) -> None:
    options = {**OPTIONS, "epochs": 4}
    whole = SFTStage(drift=1.0, batch_size=6, **options).run(job)
    cut = SFTStage(drift=1.0, batch_size=2, gradient_accumulation=3, **options)
    parts = cut.run(replace(job, out=job.out.with_name("parts")))
    assert parts.metrics["drift"] == pytest.approx(whole.metrics["drift"], rel=1e-3)


def test_over_full_weights_it_is_refused(job: StageJob) -> None:
    SFTStage(mode="full", max_steps=1).run(job)
    with pytest.raises(RunError, match="not an adapter"):
        SFTStage(drift=1.0, max_steps=1).run(replace(job, start=job.out, out=job.out.with_name("again")))


def test_it_needs_an_adapter_and_something_to_rehearse(job: StageJob) -> None:
    with pytest.raises(InputError, match="drift"):
        SFTStage(drift=1.0, mode="full").check()
    with pytest.raises(RunError, match=r"retention\.rehearse"):
        SFTStage(drift=1.0).run(replace(job, lessons=job.lessons[:6]))


def test_a_layer_that_is_never_run_is_an_error(base: Path, adapted: Any) -> None:
    class Past(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(x)

    adapted.get_decoder().layers[0].mlp.forward = Past().forward
    with pytest.raises(RunError, match="not run"):
        Drift(adapted, load_tokenizer(base), rows(TEXTS), weight=1.0)
