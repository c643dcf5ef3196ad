"""Trainings in processes of their own: alike from the same seed, and several of them together as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.checkpoints import load_model
from tutelage.errors import RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.session import LOSSES
from tutelage.training.worker import run_stage

TASK = """
from tutelage.schema import Grade, Problem

class Sums:
    instruction = None

    def splits(self):
        return {}

    def grade(self, problem, text):
        return Grade(problem.answer, float(problem.answer in text))

def signs(problem, text, grade, stopped):
    return sum(not c.isalpha() for c in text) / max(1, len(text))
"""
SFT = {"mode": "full", "batch_size": 4, "learning_rate": 1e-3, "max_steps": 4}
GRPO = {"mode": "full", "prompts_per_step": 2, "generations": 4, "max_new_tokens": 6, "learning_rate": 1e-3,
        "max_steps": 3}  # fmt: skip


@pytest.fixture
def job(base: Path, in_folder: Path) -> StageJob:
    (in_folder / f"{module()}.py").write_text(TASK)
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"{n} + 1 = {n + 1}. " * (n % 3 + 1),
               origin="t", answer=str(n + 1))
        for n in range(8)
    )  # fmt: skip
    task: dict[str, object] = {"name": f"{module()}:Sums", "options": {}}
    return StageJob(1, base, None, in_folder / "out", lessons, 3, device="cpu", precision="float32", task=task)


def module() -> str:
    return f"sums_{Path.cwd().name.replace('-', '_')}"


def spec(name: str) -> Plugin:
    if name == "grpo":
        return Plugin(name=name, options={**GRPO, "rewards": {f"{module()}:signs": 1.0}})
    return Plugin(name=name, options={**SFT, "band": [0.0, 1.0]} if name == "tpsft" else SFT)


def losses(checkpoint: Path) -> list[float]:
    found: list[float] = json.loads((checkpoint / LOSSES).read_text())["losses"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["sft", "grpo"])
def test_two_processes_from_the_same_seed_have_the_same_curve(
    job: StageJob, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    curves = []
    for hashing in ("1", "2"):  # the order of sets must not matter
        monkeypatch.setenv("PYTHONHASHSEED", hashing)
        run_stage(spec(name), replace(job, out=job.out.with_name(hashing)))
        curves.append(losses(job.out.with_name(hashing)))
    assert curves[0] == curves[1]
    assert len(set(curves[0])) > 1


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["sft", "tpsft", "grpo"])
def test_two_processes_train_together(
    job: StageJob, name: str, monkeypatch: pytest.MonkeyPatch, two_processes: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    together = Plugin(name=name, options={**spec(name).options, **({} if name == "grpo" else {"batch_size": 2})})
    report = run_stage(together, job, launch=two_processes)
    alone = replace(job, out=job.out.with_name("alone"))
    single = run_stage(spec(name), alone)
    assert report.steps == single.steps
    load_model(job.base, job.out, dtype="float32", device="cpu", merge=True)
    if name != "grpo":
        assert report.tokens == single.tokens
        assert losses(job.out) == pytest.approx(losses(alone.out), abs=1e-3)
    else:
        assert report.metrics["last_reward"] > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_failure_of_one_process_is_one_line(
    job: StageJob, monkeypatch: pytest.MonkeyPatch, two_processes: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    diverging = Plugin(name="sft", options={**SFT, "learning_rate": 1e30, "max_grad_norm": 1e30, "warmup_steps": 0})
    with pytest.raises(RunError, match=r"failed: step \d: the loss is (nan|inf).*lower learning_rate; log: ") as caught:
        run_stage(diverging, job, launch=two_processes)
    assert "\n" not in str(caught.value)
    assert not job.out.exists()


def test_the_same_seed_gives_the_same_curve_and_another_gives_another(job: StageJob) -> None:
    curves = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run_stage(spec("sft"), replace(job, out=job.out.with_name(name), seed=seed), mode="inline")
        curves.append(losses(job.out.with_name(name)))
    assert curves[0] == curves[1] != curves[2]
    assert len(curves[0]) == SFT["max_steps"]


@pytest.mark.parametrize("file", sorted((Path(__file__).parent.parent / "examples" / "accelerate").glob("*.yaml")))
def test_accelerate_takes_the_example_files(file: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    config = load_config_from_file(str(file))
    assert config.num_processes == 2
    known = {action.dest for action in launch_command_parser()._actions}
    given = {**(config.fsdp_config or {}), **(config.deepspeed_config or {})}
    assert set(given) <= known
