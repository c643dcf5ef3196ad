"""`tutelage exam`: grade any model on any task, outside a run."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..agents.resolve import resolve_student
from ..checkpoints import base_of
from ..config import RunConfig, StudentConfig
from ..configfile import apply_override, load_config, parse_config
from ..errors import InputError
from ..plugins import build
from ..schema import BASE, Problem, Split
from ..seams import Engine, Task
from ..strategies import prompt_with, read_library


def exam(student: str, task: str, *, n: int, seed: int | None, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Ask a model `n` problems of a task's test split and grade the answers.

    Args:
        student: A folder (a run's checkpoint too), a hub id or a name.
        task: A task's name, `module:attribute`, or a YAML configuration whose task and student settings are taken.
        n: Problems asked.
        seed: Seed that the task draws problems with; the YAML's own, or 0.
        overrides: `field=value` on the configuration, or on the options of a task given by name.

    Raises:
        InputError: If the student or the task cannot be had.
    """
    config = _config(task, overrides)
    spec = config.task
    if seed is not None and "seed" in spec.options:
        spec = spec.model_copy(update={"options": {**spec.options, "seed": seed}})
    seed = config.seed if seed is None else seed
    made: Task = build("tasks", spec, seed=seed)
    problems = _problems(made, n)
    engine, checkpoint = _engine(student, config.student)
    library = read_library(checkpoint)
    prompts = [prompt_with(library, made.instruction, problem.question) for problem in problems]
    engine.generate(checkpoint, prompts[:1], max_new_tokens=1)  # loads it
    began = time.perf_counter()
    answers = engine.generate(checkpoint, prompts, seed=seed)
    took = time.perf_counter() - began
    correct: dict[str, list[bool]] = defaultdict(list)
    marks = []
    for problem, (answer,) in zip(problems, answers, strict=True):
        marks.append(made.grade(problem, answer.text).score >= 1.0)
        for skill in problem.skills:
            correct[skill].append(marks[-1])
    tokens = sum(answer.tokens for (answer,) in answers)
    return {
        "accuracy": sum(marks) / len(marks),
        "n": len(marks),
        "by_skill": {skill: sum(some) / len(some) for skill, some in sorted(correct.items())},
        "tokens_per_second": round(tokens / took, 1),
    }


def _config(task: str, overrides: Sequence[str]) -> RunConfig:
    """Return the YAML's configuration, or one with a task by name and overrides as its options."""
    if Path(task).suffix in {".yaml", ".yml"}:
        return load_config(task, overrides)
    values: dict[str, Any] = {"task": {"name": task, "options": {}}}
    for override in overrides:
        apply_override(values["task"]["options"], override)
    return parse_config(values, "--task")


def _problems(task: Task, n: int) -> list[Problem]:
    splits = task.splits()
    found = list(splits.get(Split.TEST) or splits.get(Split.RETENTION) or ())
    if not found:
        raise InputError("--task: has neither test nor retention problems")
    return found[:n]


def _engine(student: str, settings: StudentConfig) -> tuple[Engine, str]:
    """Return an engine and what it calls the student: a checkpoint of a run is loaded over its base."""
    base = base_of(Path(student)) if Path(student).is_dir() else None
    checkpoint = student if base else BASE
    engine: Engine = build(
        "engines",
        settings.engine,
        base=base or resolve_student(student),
        device=settings.device,
        precision=settings.precision,
        batch_size=settings.batch_size,
        max_new_tokens=settings.max_new_tokens,
    )
    return engine, checkpoint
