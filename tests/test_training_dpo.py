"""Direct preference optimisation: the loss, the reference, and what becomes of the two texts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.checkpoints import load_model, load_tokenizer, read_note
from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin, build
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.dpo import DPOStage, paired
from tutelage.training.sft import SFTStage

FAST: dict[str, Any] = {"warmup_steps": 0, "batch_size": 6}


def lesson(number: int, **given: object) -> Lesson:
    values = {"problem_id": f"p{number}", "cycle": 1, "question": f"{number} + 1 =", "origin": "t"}
    texts = {"text": f"{number} + 1 = {number + 1}. Answer: {number + 1}", "wrong": f"What: {number}."}
    return Lesson.model_validate({**values, **texts, **given})


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(lesson(n) for n in range(6))
    return StageJob(1, base, None, tmp_path / "out", lessons, seed=3, device="cpu", precision="float32")


def log_likelihood(base: Path, start: Path | None, one: Lesson, text: str) -> float:
    """Summed over the text's tokens and its end, in a few lines of torch."""
    model = load_model(base, start, dtype="float32", device="cpu", merge=True).eval()
    tokenizer = load_tokenizer(base)
    before, answer = (
        tokenizer(part)["input_ids"]
        for part in (f"<|im_start|>u{one.question}<|im_end|><|im_start|>a", f"{text}<|im_end|>")
    )
    logits = model(input_ids=torch.tensor([before + answer])).logits[0]
    return float(logits.log_softmax(-1)[len(before) - 1 : -1].gather(1, torch.tensor(answer)[:, None]).sum().detach())


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_the_text_becomes_likelier_than_the_wrong_attempt_and_than_it_was(job: StageJob, mode: Any) -> None:
    stage = DPOStage(mode=mode, learning_rate=3e-3, max_steps=8, **FAST)
    stage.check()
    report = stage.run(job)
    assert report.metrics["first_margin"] == pytest.approx(0.0, abs=1e-5)
    assert report.metrics["last_margin"] > 0.5
    assert report.metrics["last_preferred"] == 1.0
    assert report.metrics["last_text_logprob"] > report.metrics["first_text_logprob"]
    one = job.lessons[0]
    before, after = (log_likelihood(job.base, folder, one, one.text) for folder in (None, job.out))
    assert after > before


def test_the_first_loss_is_that_of_a_plain_computation(job: StageJob) -> None:
    alone = DPOStage(max_steps=1, sft_weight=0.0, **FAST).run(job)
    assert alone.loss == pytest.approx(math.log(2), abs=1e-5)
    likelihoods = [log_likelihood(job.base, None, one, one.text) for one in job.lessons]
    assert alone.metrics["first_text_logprob"] == pytest.approx(sum(likelihoods) / 6, abs=1e-3)
    tokens = [len(load_tokenizer(job.base)(f"{one.text}<|im_end|>")["input_ids"]) for one in job.lessons]
    both = DPOStage(max_steps=1, sft_weight=0.5, **FAST).run(replace(job, out=job.out.with_name("both")))
    assert both.loss == pytest.approx(math.log(2) - 0.5 * sum(likelihoods) / sum(tokens), abs=1e-3)


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_the_reference_is_the_start_also_where_that_is_an_adapter(job: StageJob, mode: Any) -> None:
    SFTStage(learning_rate=1e-2, max_steps=3, warmup_steps=0, rank=4).run(job)
    later = replace(job, start=job.out, out=job.out.with_name("later"))
    report = DPOStage(mode=mode, learning_rate=3e-3, max_steps=2, sft_weight=0.0, **FAST).run(later)
    assert report.metrics["first_margin"] == pytest.approx(0.0, abs=1e-5)
    started = sum(log_likelihood(job.base, job.out, one, one.text) for one in job.lessons) / 6
    assert report.metrics["first_text_logprob"] == pytest.approx(started, abs=1e-2)
    assert read_note(later.out).kind == ("adapter" if mode == "lora" else "full")
    assert not (later.out / "ref").exists()
    one = later.lessons[0]
    moved = [log_likelihood(job.base, folder, one, one.wrong) for folder in (job.out, later.out)]
    assert moved[1] < moved[0]


def test_lessons_without_a_wrong_attempt_are_left_out_and_counted(job: StageJob) -> None:
    some = (*job.lessons[:2], lesson(7, wrong=" "), lesson(8, wrong=lesson(8).text))
    assert paired(some) == list(job.lessons[:2])
    report = DPOStage(max_steps=1, **FAST).run(replace(job, lessons=some))
    assert report.metrics["left_out"] == 2
    none = replace(job, lessons=(lesson(7, wrong=""),), start=job.out, out=job.out.with_name("none"))
    report = DPOStage().run(none)
    assert (report.steps, report.note) == (0, "none of 1 lessons has a wrong attempt to set against it")
    assert read_note(none.out).stages == ("dpo", "dpo")


@pytest.mark.parametrize("length", [8, 24])
def test_a_lesson_that_does_not_fit_is_an_error_and_a_long_wrong_attempt_is_cut(job: StageJob, length: int) -> None:
    with pytest.raises(RunError, match=r"lesson p\d: .*max_length"):
        DPOStage(max_steps=1, max_length=length, **FAST).run(job)
    long = replace(job, lessons=(lesson(1, wrong="1 + 1 = 3. " * 20),))
    assert DPOStage(max_steps=1, max_length=64, **FAST).run(long).tokens < 2 * 64


def test_nothing_is_read_beyond_the_context(job: StageJob) -> None:
    long = "1 + 1 = 2. " * 80
    with pytest.raises(RunError, match=r"^lesson p1: its \d+ tokens are more than the student's context of 512; "):
        DPOStage(max_steps=1, max_length=2048, **FAST).run(replace(job, lessons=(lesson(1, text=long),)))
    cut = replace(job, lessons=(lesson(1, wrong=long),))
    assert DPOStage(max_steps=1, max_length=2048, **FAST).run(cut).tokens < 512 + 64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_type": "sigmoyd"}, "loss_type: must be 'sigmoid'"),
        ({"beta": 0.0}, "beta: must be more"),
        ({"loss_type": "exo_pair"}, "exo_pair needs label_smoothing"),
        ({"extra": {"betta": 1}}, "did you mean 'beta'|no argument"),
        ({"extra": {"loss_weights": [1.0]}}, "option of the stage's own"),
    ],
)
def test_wrong_options_are_named_without_a_model(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DPOStage(**options).check()


def test_it_is_installed_under_its_name() -> None:
    build("stages", Plugin(name="dpo")).check()
