"""A skill vector is added exactly: against a few lines of torch, for full weights, adapters and a mix of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from tutelage.checkpoints import load_model, load_tokenizer, read_note, save_checkpoint
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob, TrainedStage
from tutelage.training.jobs import job_key, read_job, write_job
from tutelage.training.sft import SFTStage
from tutelage.training.skill_vector import SkillVectorStage, find_vector
from tutelage.training.worker import run_stage

SCALE = 0.5


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=2, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}.", origin="t")
        for n in range(4)
    )
    return StageJob(2, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def made(job: StageJob, name: str, **options: Any) -> Path:
    """Save a student with weights of its own, or with an adapter if there are options; return the checkpoint."""
    torch.manual_seed(len(name))
    model = load_model(job.base, None, dtype="float32", device="cpu", merge=True)
    if options:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))
    for weight in model.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.05)
    out = job.out.with_name(name)
    save_checkpoint(model, out, base=job.base, stages=["sft"], tokenizer=load_tokenizer(job.base))
    return out


def weights(job: StageJob, checkpoint: Path | None) -> dict[str, torch.Tensor]:
    """What a checkpoint's weights are: read from its file, an adapter worked out by hand."""
    plain = load_model(job.base, None, dtype="float32", device="cpu", merge=True).state_dict()
    found = {name: weight.clone() for name, weight in plain.items()}
    if checkpoint is None:
        return found
    if read_note(checkpoint).kind == "full":
        found |= load_file(checkpoint / "model.safetensors")
        return found | {"lm_head.weight": found["model.embed_tokens.weight"]}  # tied, and written once
    adapter = load_file(checkpoint / "adapter_model.safetensors")
    for name, down in adapter.items():
        if ".lora_A." in name:
            layer = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
            scaling = SCALING[down.shape[0]]
            found[layer] += scaling * adapter[name.replace(".lora_A.", ".lora_B.")] @ down
    return found


SCALING = {4: 8 / 4, 2: 6 / 2, 8: 1.0, 10: 1.0, 6: 1.0}
"""Alpha over rank of the adapters made here; a sum has 1."""

LORA: dict[str, Any] = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}
OTHER: dict[str, Any] = {"r": 2, "lora_alpha": 6, "target_modules": ["down_proj"]}
FULL: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("fine_tuned", "reinforced", "later", "kind"),
    [
        (LORA, LORA, OTHER, "adapter"),
        (FULL, FULL, FULL, "full"),
        (FULL, FULL, LORA, "full"),
        (None, LORA, LORA, "adapter"),
    ],
    ids=["adapters", "full", "mixed", "from-base"],
)
def test_the_sum_is_exact(job: StageJob, fine_tuned: Any, reinforced: Any, later: Any, kind: str) -> None:
    before = None if fine_tuned is None else made(job, "before", **fine_tuned)
    after = made(job, "after", **reinforced)
    now = made(job, "now", **later)
    earlier = (TrainedStage(1, "grpo", before, after), TrainedStage(2, "sft", None, now))
    report = SkillVectorStage(scale=SCALE).run(replace(job, start=now, earlier=earlier))
    assert read_note(job.out).kind == kind and read_note(job.out).stages[-1] == "skill-vector"
    ours = load_model(job.base, job.out, dtype="float32", device="cpu", merge=True).state_dict()
    old, new, target = weights(job, before), weights(job, after), weights(job, now)
    size = overlap = 0.0
    for name in old:
        vector = new[name] - old[name]
        torch.testing.assert_close(ours[name], target[name] + SCALE * vector, rtol=0, atol=1e-6)
        if name != "lm_head.weight":  # tied to the embeddings
            size += float(vector.double().square().sum())
            overlap += float(((target[name] - old[name]) * vector).double().sum())
    assert size > 1e-2
    assert report.metrics["norm"] == pytest.approx(size**0.5, rel=1e-4)
    assert report.metrics["held"] == pytest.approx(overlap / size, abs=1e-3)
    assert (report.steps, report.tokens, report.metrics["cycle"]) == (0, 0, 1.0)
    missing = replace(job, start=now, earlier=earlier, out=job.out.with_name("restored"))
    restored = SkillVectorStage(scale=1.5, restore=True).run(missing).metrics
    assert restored["added"] == pytest.approx(1.5 - report.metrics["held"])


def test_a_sum_of_adapters_is_trained_on(job: StageJob) -> None:
    before, after = made(job, "before", **LORA), made(job, "after", **LORA)
    SkillVectorStage().run(replace(job, start=before, earlier=(TrainedStage(1, "grpo", before, after),)))
    on = replace(job, start=job.out, out=job.out.with_name("on"))
    SFTStage(max_steps=1, batch_size=4).run(on)
    assert read_note(on.out).kind == "adapter"
    assert read_note(on.out).stages == ("sft", "skill-vector", "sft")


def test_more_ranks_than_a_layer_has_are_full_weights(job: StageJob) -> None:
    wide: dict[str, Any] = {"r": 80, "lora_alpha": 80, "target_modules": ["up_proj"]}
    before, after = made(job, "before", **wide), made(job, "after", **wide)
    SkillVectorStage().run(replace(job, start=before, earlier=(TrainedStage(1, "grpo", before, after),)))
    assert read_note(job.out).kind == "full"
    ours, theirs = (
        load_model(job.base, folder, dtype="float32", device="cpu", merge=True).state_dict()
        for folder in (job.out, after)
    )
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=1e-5)


def test_the_first_cycle_has_nothing_to_add_and_says_so(job: StageJob) -> None:
    start = made(job, "start", **LORA)
    report = run_stage(Plugin(name="skill-vector"), replace(job, start=start), mode="inline")
    assert report.note == "no earlier cycle of this student had a stage grpo: nothing to add"
    same = "adapter_model.safetensors"
    assert (job.out / same).read_bytes() == (start / same).read_bytes()
    assert read_note(job.out).stages == ("sft", "skill-vector")
    from_base = replace(job, out=job.out.with_name("base"))
    SkillVectorStage().run(from_base)
    ours, theirs = weights(job, from_base.out), weights(job, None)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_it_may_train_first_what_it_adds_later(job: StageJob) -> None:
    start = made(job, "start", **LORA)
    stage = SkillVectorStage(stage="sft", train={"max_steps": 1, "warmup_steps": 0})
    stage.check()
    report = stage.run(replace(job, start=start))
    assert (report.stage, report.steps, read_note(job.out).stages) == ("sft", 1, ("sft", "sft"))
    later = replace(job, start=start, earlier=(TrainedStage(1, report.stage, start, job.out),))
    later = replace(later, out=job.out.with_name("later"))
    assert stage.run(later).metrics["held"] == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(InputError, match="sft"):
        SkillVectorStage(stage="sft", train={"max_step": 1}).check()


def test_what_it_trains_is_cut_where_memory_runs_out() -> None:
    whole = SkillVectorStage(stage="sft", train={"batch_size": 8, "max_steps": 1})
    assert whole.halved() == {"train": {"batch_size": 4, "max_steps": 1, "gradient_accumulation": 2}}
    assert SkillVectorStage(stage="sft", train={"batch_size": 1}).halved() is None
    assert SkillVectorStage().halved() is None


def stage(cycle: int, name: str, number: int, start: str | None) -> TrainedStage:
    return TrainedStage(cycle, name, start and Path(start), Path(f"{cycle}-{number}"))


def test_the_newest_vector_counts_with_those_that_it_builds_on() -> None:
    first = [stage(1, "sft", 0, None), stage(1, "skill-vector", 1, "1-0"), stage(1, "grpo", 2, "1-1")]
    second = [stage(2, "sft", 0, None), stage(2, "skill-vector", 1, "2-0"), stage(2, "grpo", 2, "2-1")]
    found = find_vector([*first, *second, stage(3, "sft", 0, None)], "grpo")
    assert found and (found[0], found[1].before, found[1].after) == (2, Path("2-0"), Path("2-2"))
    assert find_vector(first[:2], "grpo") is None
    only = find_vector([stage(1, "grpo", 0, None)], "grpo")
    assert only and only[1].before is None


def test_what_is_gone_is_named(job: StageJob) -> None:
    start = made(job, "start", **LORA)
    gone = (TrainedStage(1, "grpo", None, job.out.with_name("cycle-001")),)
    with pytest.raises(RunError, match=r"cycle-001: .*is gone; put it back"):
        SkillVectorStage().run(replace(job, start=start, earlier=gone))
    with pytest.raises(InputError, match="skill-vector: scale"):
        SkillVectorStage(scale=0.0).check()


def test_a_stage_that_has_changed_nothing_has_nothing_to_add(job: StageJob) -> None:
    """As where all rewards of a group were equal: no option of a later run could mend that."""
    start = made(job, "start", **LORA)
    told = SkillVectorStage().run(replace(job, start=start, earlier=(TrainedStage(1, "grpo", start, start),)))
    assert told.note == "stage grpo of cycle 1 has changed no weight: nothing to add"
    assert (job.out / "adapter_model.safetensors").read_bytes() == (start / "adapter_model.safetensors").read_bytes()


def test_earlier_stages_are_part_of_the_job(job: StageJob, tmp_path: Path) -> None:
    spec = Plugin(name="skill-vector")
    told = replace(job, earlier=(stage(1, "sft", 0, None), stage(1, "grpo", 1, "1-0")))
    write_job(tmp_path / "job.json", spec, told)
    assert read_job(tmp_path / "job.json") == (spec, told)
    assert job_key(spec, told) != job_key(spec, job)
