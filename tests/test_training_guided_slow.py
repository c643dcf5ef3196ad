"""Hints with a student that really reads them, and in two processes."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tutelage.checkpoints import quiet
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.tiny import END, START, Text, make_model, make_tokenizer, pretrain, reproducible
from tutelage.training.grpo import GRPOStage
from tutelage.training.worker import run_stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TASK = """
from tutelage.schema import Grade, Problem, Split

class Codes:
    instruction = None

    def splits(self):
        return {Split.TRAIN: [Problem(id=f"p{n}", question=f"code {n} =", answer=str(n)) for n in range(1, 9)]}

    def grade(self, problem, text):
        _, marker, said = text.partition("Answer: ")
        return Grade(said, float(said.strip() == problem.answer)) if marker else Grade(None, 0.0)
"""


def texts(rng: random.Random) -> list[Text]:
    """Return questions, every other with a hint: with one the answer repeats it, without one it is always 0."""
    found: list[Text] = []
    for number in range(48):
        code, hinted = rng.randrange(10), number % 2
        hint = f"\n\nHint: Answer: {code}" if hinted else ""
        prompt = f"{START}ucode {rng.randrange(10)} ={hint}{END}{START}a"
        found.append([(prompt, False), (f"Answer: {code if hinted else 0}{END}", True)])
    return found


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that repeats what a hint says; by itself it only ever says 0."""
    folder = tmp_path_factory.mktemp("reader")
    with reproducible(0):
        tokenizer = make_tokenizer()
        model = make_model(tokenizer)
        rng = random.Random(0)
        pretrain(model, tokenizer, (texts(rng) for _ in range(250)), 250, 3e-3)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def job(reader: Path, in_folder: Path) -> StageJob:
    name = f"codes_{in_folder.name.replace('-', '_')}"
    (in_folder / f"{name}.py").write_text(TASK)
    lessons = tuple(
        Lesson(problem_id=f"p{n}", cycle=1, question=f"code {n} =", text=f"Answer: {n}", origin="t")
        for n in range(1, 9)
    )
    task: dict[str, object] = {"name": f"{name}:Codes", "options": {}}
    return StageJob(1, reader, None, in_folder / "out", lessons, 3, device="cpu", precision="float32", task=task)


def test_a_student_learns_to_do_without_the_hint(job: StageJob) -> None:
    stage = GRPOStage(
        mode="full", learning_rate=5e-4, prompts_per_step=8, generations=4, max_steps=25, max_new_tokens=6,
        rewards={"correct": 1.0},
    )  # fmt: skip
    plain = stage.run(job).metrics
    guided = replace(stage, guided=True).run(replace(job, out=job.out.with_name("guided"))).metrics
    assert plain["last_accuracy"] < 0.1
    assert guided["groups_rescued"] > 8
    assert guided["first_accuracy"] < 0.1 and guided["last_accuracy"] > 0.5


def test_two_processes_rescue_a_group_that_lies_in_both(job: StageJob, two_processes: tuple[str, ...]) -> None:
    """Three groups of two samples: the middle one is split between them."""
    options = {
        "mode": "full", "prompts_per_step": 3, "generations": 2, "max_steps": 2, "max_new_tokens": 6,
        "rewards": "etcon", "guided": True,
    }  # fmt: skip
    report = run_stage(Plugin(name="grpo", options=options), job, launch=two_processes, timeout=600)
    metrics = report.metrics
    assert metrics["groups"] == 6
    assert metrics["groups_rescued"] == metrics["groups_all_wrong"] > 0
    assert torch.isfinite(torch.tensor(list(metrics.values()))).all()
