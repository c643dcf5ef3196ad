"""An exam: a checkpoint answers problems, the task grades them, the checker finds the first wrong step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..hashing import content_hash
from ..model_thread import on_model_thread
from ..schema import Attempt, Problem, Split
from ..seams import Generation, Task
from ..strategies import prompt_with, read_library
from .context import RunContext
from .step_check import StepCheck

Writer = Callable[[dict[str, Any]], None]


async def examine_split(
    context: RunContext,
    write: Writer,
    *,
    cycle: int,
    student: str,
    split: Split,
    problems: Sequence[Problem],
    samples: int = 1,
    first_sample: int = 0,
) -> list[Attempt]:
    """Let a checkpoint answer problems; what it has answered before, in any cycle, is not asked again.

    Rows land in the run directory a chunk at a time, so that a crash costs one chunk.
    """
    known = known_attempts(context, student, split, cycle)
    numbers = range(first_sample, first_sample + samples)
    missing = [p for p in problems if (p.id, numbers[-1]) not in known]
    write({"kind": "progress", "node": f"exam {split}", "cycle": cycle, "done": 0, "total": len(missing)})
    size = 4 * context.config.student.batch_size
    for start in range(0, len(missing), size):
        chunk = missing[start : start + size]

        def advance(done: int) -> None:
            write({"kind": "progress", "node": f"exam {split}", "cycle": cycle, "advance": done, "total": len(missing)})

        made = await on_model_thread(_answer, context, cycle, student, split, chunk, numbers, advance)
        context.rundir.add_attempts(cycle, [a for a in made if (a.problem_id, a.sample) not in known])
        known = {(a.problem_id, a.sample): a for a in made} | known
    return [known[p.id, sample] for p in problems for sample in numbers]


def known_attempts(context: RunContext, student: str, split: Split, cycle: int) -> dict[tuple[str, int], Attempt]:
    """Return this checkpoint's attempts on a split up to a cycle, by problem and sample."""
    return {
        (a.problem_id, a.sample): a
        for earlier in range(cycle + 1)
        for a in context.rundir.attempts(earlier)
        if a.student == student and a.split is split
    }


def _answer(
    context: RunContext,
    cycle: int,
    student: str,
    split: Split,
    problems: Sequence[Problem],
    numbers: range,
    advance: Callable[[int], None],
) -> list[Attempt]:
    task = context.task_of(split)
    retention = context.config.retention
    limit = retention.max_new_tokens if split is Split.RETENTION and retention else None
    checkpoint = context.checkpoint(student)
    library = read_library(checkpoint)
    answers = context.engine.generate(
        checkpoint,
        [prompt_with(library, task.instruction, p.question) for p in problems],
        samples=len(numbers),
        sampled=numbers != range(1),  # a single answer, sample 0, is greedy
        seed=context.config.seed + numbers.start,
        max_new_tokens=limit,
        on_progress=advance,
    )
    return [
        grade(task, problem, generation, context.checker, cycle=cycle, student=student, split=split, sample=sample)
        for problem, generations in zip(problems, answers, strict=True)
        for sample, generation in zip(numbers, generations, strict=True)
    ]


def grade(
    task: Task,
    problem: Problem,
    generation: Generation,
    checker: StepCheck,
    *,
    cycle: int,
    student: str,
    split: Split,
    sample: int = 0,
) -> Attempt:
    """Turn a generation into a graded attempt; a wrong one gets its first wrong step."""
    answer, score = task.grade(problem, generation.text)
    correct = score >= 1.0
    needless = correct or split is Split.RETENTION
    wrong = None if needless else checker.find_wrong_step(problem, generation.text, truncated=not generation.stopped)
    return Attempt(
        id=content_hash(student, problem.id, sample),
        problem_id=problem.id,
        split=split,
        cycle=cycle,
        student=student,
        sample=sample,
        text=generation.text,
        answer=answer,
        score=score,
        correct=correct,
        logprob=generation.logprob,
        tokens=generation.tokens,
        finish_reason="stop" if generation.stopped else "length",
        wrong_step=wrong,
    )


def accuracy(attempts: Iterable[Attempt]) -> float:
    """Return the share of correct attempts; 0 if there are none."""
    marks = [attempt.correct for attempt in attempts]
    return sum(marks) / len(marks) if marks else 0.0
