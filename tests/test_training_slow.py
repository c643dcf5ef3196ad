"""The real student and the pretrained tiny one: what they learn from lessons, by the exam that a run gives them."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tutelage.agents.resolve import resolve_student
from tutelage.agents.student import TransformersEngine
from tutelage.checkpoints import load_tokenizer, read_note
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.tiny import is_known
from tutelage.training.sft import SFTStage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SYSTEM = "Work step by step. End with 'Answer:' and the result."
SUMS = [(a, sign, b) for a in range(10) for sign in "+-" for b in range(10)]


def lessons(sums: list[tuple[int, str, int]]) -> tuple[Lesson, ...]:
    return tuple(
        Lesson(
            problem_id=f"{a}{sign}{b}",
            cycle=1,
            question=f"State the final answer to the following arithmetic problem: {a} {sign} {b} =",
            text=f"{a} {sign} {b} = {result(a, sign, b)}. Answer: {result(a, sign, b)}",
            system=SYSTEM,
            origin="t",
            answer=str(result(a, sign, b)),
        )
        for a, sign, b in sums
    )


def result(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b


def accuracy(engine: TransformersEngine, checkpoint: str, asked: tuple[Lesson, ...]) -> float:
    prompts = [[{"role": "system", "content": SYSTEM}, {"role": "user", "content": one.question}] for one in asked]
    answers = engine.generate(checkpoint, prompts, max_new_tokens=32)
    return sum(
        answer.stopped and answer.text.endswith(f"Answer: {one.answer}")
        for one, (answer,) in zip(asked, answers, strict=True)
    ) / len(asked)


def test_the_tiny_student_goes_from_nothing_to_more_than_half(tmp_path: Path) -> None:
    sums = random.Random(1).sample(SUMS, k=len(SUMS))
    held_out, taught = lessons(sums[:60]), lessons(sums[60:])
    base = resolve_student("tiny")
    engine = TransformersEngine(base, device="cpu", precision="float32")
    curve = [accuracy(engine, "base", held_out)]
    job = StageJob(1, base, None, tmp_path / "1", taught, 0, device="cpu", precision="float32")
    for cycle in (1, 2, 3):
        stage = SFTStage(mode="full", learning_rate=1e-3, batch_size=32, max_steps=25)
        report = stage.run(replace(job, start=job.start and tmp_path / str(cycle - 1), out=tmp_path / str(cycle)))
        job = replace(job, start=tmp_path / str(cycle), seed=cycle)
        curve.append(accuracy(engine, str(tmp_path / str(cycle)), held_out))
        print(f"cycle {cycle}: {report.loss:.3f} {report.seconds} s {report.metrics['train_seconds']:.1f} s", curve)
    known = sum(is_known(*one) for one in sums[:60]) / 60
    assert curve[0] <= 0.05
    assert max(curve) >= 0.5
    assert max(curve) > 0.8 * known


@pytest.mark.parametrize("mode", ["lora", "full"])
def test_the_real_student_is_trained_saved_and_loaded(tmp_path: Path, mode: str) -> None:
    base = resolve_student("smollm2-135m-instruct")
    tokenizer = load_tokenizer(base)
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    job = StageJob(1, base, None, tmp_path / "c", lessons(SUMS[:16]), 0, device="cpu")
    rate = 5e-4 if mode == "lora" else 5e-5
    report = SFTStage(mode=mode, learning_rate=rate, batch_size=4, max_steps=4, warmup_steps=1).run(job)
    assert report.loss < report.metrics["first_loss"]
    assert read_note(tmp_path / "c").kind == ("adapter" if mode == "lora" else "full")
