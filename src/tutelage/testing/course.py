"""A real student with known holes: a pretrained model that was taught every rule of `rules` but some."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..agents.resolve import WHEEL_STUDENT, resolve_student
from ..agents.student import TransformersEngine
from ..checkpoints import load_model, load_tokenizer
from ..errors import RunError
from ..schema import Lesson, Problem, TrainingReport
from ..seams import StageJob
from ..student_prompt import student_prompt
from ..training.sft import SFTStage
from .holes import check_holes
from .rule_book import LENGTHS, RULES, Book
from .rules import INSTRUCTION, RulesTask, draw_problem

COURSE: Final = SFTStage(learning_rate=1e-3, batch_size=8, warmup_steps=5, max_steps=60)
"""A round of teaching."""
ROUNDS: Final = 3
"""At most."""
KNOWN: Final = 0.9
"""Share of problems of known rules that a student must answer right before it is handed out."""
BOOK: Final[Book] = "strings"
"""What its rules do: the tables of `digits` take it many times as long to learn by heart."""
_CHECKED: Final = 48
"""Problems that this is measured on."""
_MAX_NEW_TOKENS: Final = 64


def teach_all_but(
    folder: Path,
    holes: Collection[str],
    seed: int = 0,
    *,
    student: str = WHEEL_STUDENT,
    stage: SFTStage = COURSE,
    instruction: str | None = INSTRUCTION,
) -> list[TrainingReport]:
    """Write a student that was taught all rules but the holes, by supervised fine-tuning on reference solutions.

    Args:
        folder: Made if it does not exist; whole weights, in the format of Hugging Face.
        holes: Rules that are in no lesson.
        seed: Seed of the lessons and of their order.
        student: As `student.model` in a configuration.
        stage: A round of teaching; with `max_steps`.
        instruction: The system message of the lessons.

    Returns:
        What each round of teaching took.

    Raises:
        InputError: If a hole is no rule, too few rules are left to teach, or the student cannot be had.
        RunError: If it does not know the other rules after `ROUNDS` rounds.
    """
    known, base = check_holes(holes), resolve_student(student)
    problems, count = _problems(random.Random(f"course {seed}"), known), stage.batch_size * (stage.max_steps or 1)
    checked = list(islice(_problems(random.Random(f"checked {seed}"), known), _CHECKED))
    reports, start, share = list[TrainingReport](), None, 0.0
    with TemporaryDirectory() as course:
        while share < KNOWN:
            if len(reports) == ROUNDS:
                raise RunError(f"course: the student answers {share:.2f} of what it was taught; raise stage.max_steps")
            lessons = tuple(_lesson(one, instruction) for one in islice(problems, count))
            out = Path(course) / str(len(reports))
            out.mkdir()
            reports.append(stage.run(StageJob(1, base, start, out, lessons, seed + len(reports), device="cpu")))
            start, share = out, _share_right(base, out, checked, instruction)
        load_model(base, start, dtype="float32", device="cpu", merge=True).save_pretrained(folder)
    load_tokenizer(base).save_pretrained(folder)
    return reports


def _problems(rng: random.Random, holes: frozenset[str]) -> Iterator[Problem]:
    """Yield problems of known rules without end."""
    shares = {name: float(name not in holes) for name in RULES}
    while True:
        yield draw_problem(rng, LENGTHS, shares, BOOK)


def _lesson(problem: Problem, instruction: str | None) -> Lesson:
    return Lesson(
        problem_id=problem.id,
        cycle=1,
        question=problem.question,
        text=str(problem.reference),
        system=instruction,
        origin="course",
    )


def _share_right(base: Path, checkpoint: Path, problems: list[Problem], instruction: str | None) -> float:
    engine, task = TransformersEngine(base, "cpu", "float32", max_new_tokens=_MAX_NEW_TOKENS), RulesTask({}, book=BOOK)
    answers = engine.generate(str(checkpoint), [student_prompt(instruction, one.question) for one in problems])
    return sum(task.grade(one, said.text).score for one, (said,) in zip(problems, answers, strict=True)) / len(problems)
