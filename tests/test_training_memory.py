"""Memory that runs out: the same optimizer steps from half the batch, told in the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tutelage.errors import RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson, TrainingReport
from tutelage.seams import StageJob
from tutelage.training import memory
from tutelage.training.memory import OutOfMemory, dry_step, find_batch, halve, is_out_of_memory, within_memory
from tutelage.training.session import LOSSES
from tutelage.training.tpsft import TPSFTStage
from tutelage.training.worker import run_stage

STAGES = """
import os
from pathlib import Path
from tutelage.training.sft import SFTStage
from tutelage.training.grpo import GRPOStage
from tutelage.training import session

def starved(stage_class):
    class Starved(stage_class):
        '''Runs out of memory in its first step as long as more than LIMIT rows are in a batch.'''

        def run(self, job):
            before = session.train

            def train(trainer, out):
                loss = trainer.compute_loss

                def short(model, inputs, *rest, **more):
                    if len(inputs.get("input_ids", inputs.get("completion_ids"))) > int(Path("limit.txt").read_text()):
                        raise MemoryError
                    return loss(model, inputs, *rest, **more)

                trainer.compute_loss = short
                return before(trainer, out)

            import tutelage.training.sft as sft
            import tutelage.training.grpo as grpo
            sft.train = grpo.train = train
            try:
                return super().run(job)
            finally:
                sft.train = grpo.train = before

    return Starved

def signs(problem, text, grade, stopped):
    return sum(not c.isalpha() for c in text) / max(1, len(text))

SFT, GRPO = starved(SFTStage), starved(GRPOStage)
"""


@pytest.fixture
def job(base: Path, in_folder: Path) -> StageJob:
    (in_folder / f"{module(in_folder)}.py").write_text(STAGES)
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}. " * (n % 3 + 1),
               origin="t", answer=str(n + 1))
        for n in range(8)
    )  # fmt: skip
    task: dict[str, object] = {"name": "tutelage.testing:FakeTask", "options": {}}
    return StageJob(1, base, None, in_folder / "out", lessons, 3, device="cpu", precision="float32", task=task)


def module(folder: Path) -> str:
    return f"starved_{folder.name.replace('-', '_')}"


def losses(checkpoint: Path) -> list[float]:
    found: list[float] = json.loads((checkpoint / LOSSES).read_text())["losses"]
    return found


SFT = {"mode": "full", "batch_size": 4, "epochs": 2, "learning_rate": 1e-3}
GRPO = {"mode": "full", "prompts_per_step": 2, "generations": 4, "max_new_tokens": 6, "learning_rate": 1e-3,
        "max_steps": 3}  # fmt: skip


@pytest.mark.parametrize(("name", "options", "fits"), [("sft", SFT, 2), ("grpo", GRPO, 4)])
def test_half_the_batch_gives_the_same_curve(job: StageJob, name: str, options: dict, fits: int) -> None:
    if name == "grpo":
        options = {**options, "rewards": {f"{module(Path.cwd())}:signs": 1.0}}
    whole = run_stage(Plugin(name=name, options=options), job, mode="inline")
    assert len(set(losses(job.out))) > 2  # something is learnt from every step
    Path("limit.txt").write_text(str(fits))
    starved = Plugin(name=f"{module(Path.cwd())}:{name.upper()}", options=options)
    halved = run_stage(starved, replace(job, out=job.out.with_name("halved")), mode="inline")
    assert memory.RETRIES not in whole.metrics
    assert halved.metrics[memory.RETRIES] == 1
    assert halved.steps == whole.steps
    assert losses(job.out.with_name("halved")) == pytest.approx(losses(job.out), abs=2e-4)
    assert run_stage(starved, replace(job, out=job.out.with_name("halved")), mode="inline") == halved


def test_one_retry_and_then_one_line(job: StageJob) -> None:
    Path("limit.txt").write_text("1")
    starved = Plugin(name=f"{module(Path.cwd())}:SFT", options=SFT)
    with pytest.raises(OutOfMemory, match=r"ran out \(with half the batch too\); lower batch_size or") as caught:
        run_stage(starved, job, mode="inline")
    assert "\n" not in str(caught.value)
    assert not job.out.exists()
    auto = starved.model_copy(update={"options": {**SFT, "gradient_accumulation": "auto", "max_steps": 1}})
    assert run_stage(auto, job, mode="inline").metrics[memory.RETRIES] == 2


def test_a_stage_without_a_batch_is_not_tried_again() -> None:
    tries: list[Plugin] = []

    def attempt(spec: Plugin) -> TrainingReport:
        tries.append(spec)
        raise OutOfMemory("3 GiB wanted")

    with pytest.raises(OutOfMemory, match=r"ran out \(3 GiB wanted\); lower"):
        within_memory(Plugin(name="tutelage.testing:FakeStage"), attempt)
    with pytest.raises(OutOfMemory):
        within_memory(Plugin(name="sft", options={"batch_size": 1}), attempt)
    with pytest.raises(OutOfMemory):  # 3 x 3 answers cannot be cut in two
        within_memory(Plugin(name="grpo", options={"prompts_per_step": 3, "generations": 3}), attempt)
    assert len(tries) == 3


def test_what_running_out_of_memory_looks_like() -> None:
    with pytest.raises(RuntimeError) as real:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(real.value)
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    wrapped = RunError("the trainer failed")
    wrapped.__cause__ = MemoryError()
    assert is_out_of_memory(wrapped)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize(
    ("batch", "parts", "cut"), [(8, 1, (4, 2)), (6, 2, (3, 4)), (9, 1, (3, 3)), (5, 2, (1, 10)), (1, 4, None)]
)
def test_a_cut_batch_makes_the_same_step(batch: int, parts: int, cut: tuple[int, int] | None) -> None:
    assert halve(batch, parts) == cut
    assert cut is None or cut[0] * cut[1] == batch * parts


def test_the_batch_that_fits_is_found_by_dry_steps_that_leave_nothing(
    job: StageJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def look(trainer: object) -> None:
        before = [weight.clone() for weight in trainer.model.parameters()]  # type: ignore[attr-defined]
        state = torch.random.get_rng_state()
        dry_step(trainer, 3)
        weights = list(trainer.model.parameters())  # type: ignore[attr-defined]
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(before, weights, strict=True))
        assert all(weight.grad is None for weight in weights)
        assert torch.equal(torch.random.get_rng_state(), state)
        assert trainer.supervised_tokens == trainer.record.tokens == 0  # type: ignore[attr-defined]
        monkeypatch.setattr(memory, "dry_step", starve)
        assert find_batch(trainer, 12) == (3, 4)

    def starve(trainer: object, rows: int) -> None:
        tried.append(rows)
        if rows > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("tutelage.training.sft.fit_batch", look)
    TPSFTStage(mode="full", band=(0.0, 1.0), gradient_accumulation="auto", max_steps=1).run(job)
    assert tried == [12, 6, 3]
