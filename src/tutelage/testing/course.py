"""A real student with known holes: a pretrained model that was taught every rule of `rules` but some."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..agents.resolve import WHEEL_STUDENT, resolve_student
from ..checkpoints import load_model, load_tokenizer
from ..schema import Lesson, TrainingReport
from ..seams import StageJob
from ..training.sft import SFTStage
from .holes import check_holes
from .rules import INSTRUCTION, RULES, draw_rules, make_problem

COURSE: Final = SFTStage(learning_rate=1e-3, batch_size=16, warmup_steps=5, max_steps=150)
"""How it is taught."""
LENGTHS: Final = (1, 2, 3, 3)
"""Rules a lesson; what is taught of a rule a token is most in the long ones."""


def teach_all_but(
    folder: Path,
    holes: Collection[str],
    seed: int = 0,
    *,
    student: str = WHEEL_STUDENT,
    stage: SFTStage = COURSE,
    instruction: str | None = INSTRUCTION,
) -> TrainingReport:
    """Write a student that was taught all rules but the holes, by supervised fine-tuning on reference solutions.

    Args:
        folder: Made if it does not exist; whole weights, in the format of Hugging Face.
        holes: Rules that are in no lesson.
        seed: Seed of the lessons and of their order.
        student: As `student.model` in a configuration.
        stage: How it is taught; one pass over lessons that are all distinct as far as there are any.
        instruction: The system message of the lessons.

    Raises:
        InputError: If a hole is no rule, too few rules are left to teach, or the student cannot be had.
    """
    known = check_holes(holes)
    base, count = resolve_student(student), stage.batch_size * (stage.max_steps or 1)
    lessons = tuple(islice(_lessons(random.Random(f"course {seed}"), known, instruction), count))
    with TemporaryDirectory() as course:
        job = StageJob(cycle=1, base=base, start=None, out=Path(course), lessons=lessons, seed=seed)
        report = stage.run(job)
        load_model(base, Path(course), dtype="float32", device="cpu", merge=True).save_pretrained(folder)
    load_tokenizer(base).save_pretrained(folder)
    return report


def _lessons(rng: random.Random, holes: frozenset[str], instruction: str | None) -> Iterator[Lesson]:
    """Yield solved problems of known rules without end."""
    shares = {name: float(name not in holes) for name in RULES}
    while True:
        problem = make_problem(rng.randrange(10), draw_rules(rng, rng.choice(LENGTHS), shares))
        yield Lesson(
            problem_id=problem.id,
            cycle=1,
            question=problem.question,
            text=str(problem.reference),
            system=instruction,
            origin="course",
        )
