"""A real student that was taught before, by somebody with ways of their own: SmolLM2 after a course in them.

The course is SFT on chains of one-digit terms in which each skill of `PLANTED` is always done in one way. It ends its
answers with `Result:`, so that a run has to teach it how a task wants them, and little else.
"""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from tutelage.agents.resolve import resolve_student
from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.testing.planted import Ways, draw_ways, say
from tutelage.training.sft import SFTStage

STUDENT = "smollm2-135m-instruct"
LESSONS, TOKENS, RATE = 1500, 40_000, 1e-3


def build_schooled_student(folder: Path, seed: int) -> Path:
    """Write the student to a folder, after some minutes of training.

    Args:
        folder: Made if it does not exist.
        seed: Seed of the course, and of the ways that it teaches.
    """
    base, rng, ways = resolve_student(STUDENT), random.Random(seed), draw_ways(seed)
    lessons = tuple(_lesson(number, rng, ways) for number in range(LESSONS))
    stage = SFTStage(learning_rate=RATE, batch_size=8, warmup_steps=10, max_tokens=TOKENS)
    with TemporaryDirectory() as course:
        stage.run(StageJob(cycle=1, base=base, start=None, out=Path(course), lessons=lessons, seed=seed))
        load_model(base, Path(course), dtype="float32", device="cpu", merge=True).save_pretrained(folder)
    load_tokenizer(base).save_pretrained(folder)
    return folder


def _lesson(number: int, rng: random.Random, ways: Ways) -> Lesson:
    at = rng.randrange(30)
    question, lines = [str(at)], list[str]()
    for _ in range(rng.randint(1, 3)):
        op, right = rng.choice("+-"), rng.randrange(10)
        question.append(f"{op} {right}")
        equations, at = say(at, op, right, ways)
        lines += equations
    asked = rng.choice(("Work out {}.", "What is {}?", "{} =", "Solve the following arithmetic problem: {} ="))
    text = f"{' '.join(lines)} Result: {at}"
    return Lesson(
        problem_id=f"course-{number}", cycle=1, question=asked.format(" ".join(question)), text=text, origin="course"
    )
