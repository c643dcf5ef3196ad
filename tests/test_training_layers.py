"""Which layers a stage trains: those and no others, with an adapter and without."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tutelage.checkpoints import load_model, read_note
from tutelage.errors import InputError
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.layers import adapted_layers, chosen_layers, skeleton
from tutelage.training.sft import SFTStage

UPPER = {"modules": ["down_proj"], "band": (0.5, 1.0)}


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}.", origin="t")
        for n in range(4)
    )
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def weights(base: Path, checkpoint: Path | None) -> dict[str, Any]:
    return dict(load_model(base, checkpoint, dtype="float32", device="cpu", merge=True).state_dict())


def changed(job: StageJob) -> set[str]:
    before, after = weights(job.base, None), weights(job.base, job.out)
    return {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}


def upper_down_projections(base: Path) -> set[str]:
    depth = json.loads((base / "config.json").read_text())["num_hidden_layers"]
    return {f"model.layers.{n}.mlp.down_proj.weight" for n in range(depth // 2, depth)}


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_only_the_chosen_layers_change(job: StageJob, mode: Any) -> None:
    SFTStage(mode=mode, max_steps=2, warmup_steps=0, learning_rate=1e-2, weight_decay=0.1, **UPPER).run(job)
    assert changed(job) == upper_down_projections(job.base)


def test_layers_by_name_and_depth(base: Path) -> None:
    model = skeleton(base)
    depth = model.config.num_hidden_layers
    everything = chosen_layers(model, (), (0.0, 1.0))
    assert len(everything) == 7 * depth and not any("lm_head" in name for name in everything)
    lower, upper = (chosen_layers(model, (), band) for band in ((0.0, 0.5), (0.5, 1.0)))
    assert set(lower) | set(upper) == set(everything) and not set(lower) & set(upper)
    assert chosen_layers(model, ("lm_head",), (0.0, 1.0)) == ["lm_head"]
    assert chosen_layers(model, ("mlp.up_proj",), (0.0, 1 / depth)) == ["model.layers.0.mlp.up_proj"]


def test_a_name_or_band_without_layers_is_refused_with_those_there_are(job: StageJob) -> None:
    with pytest.raises(
        InputError, match=r"no linear layers named no_such_layer, .* it has down_proj, gate_proj, k_proj"
    ):
        SFTStage(modules=["no_such_layer"], max_steps=1).run(job)
    with pytest.raises(InputError, match="nothing would be trained"):
        SFTStage(modules=["down_proj"], band=(0.0, 0.01), max_steps=1).run(job)
    with pytest.raises(InputError, match=r"band: \[0.5, 0.5\] is no part"):
        SFTStage(band=(0.5, 0.5)).check()


def test_an_adapter_is_trained_on_where_it_is_on_these_layers_and_merged_where_not(job: StageJob) -> None:
    taught = {"max_steps": 1, "warmup_steps": 0, "rank": 2}
    SFTStage(**taught, **UPPER).run(job)
    on = {name.removesuffix(".weight") for name in upper_down_projections(job.base)}
    assert adapted_layers(job.out) == on
    for options in ({}, UPPER):
        again = replace(job, start=job.out, out=job.out.with_name(f"again-{len(options)}"))
        SFTStage(**taught, **options).run(again)
        assert read_note(again.out).kind == "adapter" and adapted_layers(again.out) == on
    elsewhere = replace(job, start=job.out, out=job.out.with_name("elsewhere"))
    SFTStage(**taught, modules=["up_proj"]).run(elsewhere)
    assert read_note(elsewhere.out).kind == "full"
    merged, after = weights(job.base, job.out), load_file(elsewhere.out / "model.safetensors")
    kept = {name for name in merged if name in after and torch.equal(merged[name], after[name])}
    assert {name for name in merged if "up_proj" not in name and name in after} == kept
