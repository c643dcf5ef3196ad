"""`tutelage exam`: grade any model on any task, outside a run."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..agents.resolve import resolve_student
from ..checkpoints import base_of
from ..config import RunConfig, StudentConfig
from ..configfile import apply_override, load_config, parse_config
from ..configplace import placing
from ..errors import InputError
from ..plugins import build, signed
from ..schema import BASE, Problem, Split
from ..seams import Engine, Generation, Task
from ..strategies import prompt_with, read_library
from .measures import has_measures, task_measures


def exam(student: str, task: str, *, n: int, seed: int | None, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Ask a model `n` problems of a task's test split and grade the answers.

    Args:
        student: A folder (a run's checkpoint too), a hub id or a name.
        task: A task's name, `module:attribute`, or a YAML configuration whose task and student settings are taken.
        n: Problems asked.
        seed: Seed that the task draws problems with; the YAML's own, or 0.
        overrides: `field=value` on the configuration, or on the options of a task given by name.

    Of a task with measures of its own, `n` train problems are asked too, and the measures are reported: against what
    the base student of a run's checkpoint says, else against what the student itself does.

    Raises:
        InputError: If the student or the task cannot be had.
    """
    config = _config(task, overrides)
    spec = config.task
    if seed is not None and "seed" in spec.options:
        spec = spec.model_copy(update={"options": {**spec.options, "seed": seed}})
    seed = config.seed if seed is None else seed
    with placing(config, Path(task), overrides, {"student.model"}) if _is_file(task) else nullcontext():
        made: Task = build("tasks", spec, seed=seed)
        with signed("tasks", spec):
            problems = _problems(made, n)
        engine, checkpoint = make_engine(student, config.student)
    _ask(engine, checkpoint, made, problems[:1], seed, limit=1)  # loads it
    began = time.perf_counter()
    answers = _ask(engine, checkpoint, made, problems, seed)
    took = time.perf_counter() - began
    result = _graded(made, problems, answers, took)
    if has_measures(made):
        before = answers if checkpoint == BASE else _ask(engine, BASE, made, problems, seed)
        result["measures"] = task_measures(made, _texts(problems, before), _texts(problems, answers))
    return result


def _ask(
    engine: Engine, checkpoint: str, task: Task, problems: Sequence[Problem], seed: int, limit: int | None = None
) -> list[Generation]:
    library = read_library(checkpoint)
    prompts = [prompt_with(library, task.instruction, problem.question) for problem in problems]
    return [answer for (answer,) in engine.generate(checkpoint, prompts, seed=seed, max_new_tokens=limit)]


def _graded(task: Task, problems: Sequence[Problem], answers: Sequence[Generation], took: float) -> dict[str, Any]:
    correct: dict[str, list[bool]] = defaultdict(list)
    marks = []
    for problem, answer in zip(problems, answers, strict=True):
        marks.append(task.grade(problem, answer.text).score >= 1.0)
        for skill in problem.skills:
            correct[skill].append(marks[-1])
    return {
        "accuracy": sum(marks) / len(marks),
        "n": len(marks),
        "by_skill": {skill: sum(some) / len(some) for skill, some in sorted(correct.items())},
        "tokens_per_second": round(sum(answer.tokens for answer in answers) / took, 1),
    }


def _texts(problems: Sequence[Problem], answers: Sequence[Generation]) -> dict[str, str]:
    return {problem.id: answer.text for problem, answer in zip(problems, answers, strict=True)}


def _config(task: str, overrides: Sequence[str]) -> RunConfig:
    """Return the YAML's configuration, or one with a task by name and overrides as its options."""
    if _is_file(task):
        return load_config(task, overrides)
    values: dict[str, Any] = {"task": {"name": task, "options": {}}}
    for override in overrides:
        apply_override(values["task"]["options"], override)
    return parse_config(values, "--task")


def _is_file(task: str) -> bool:
    return Path(task).suffix in {".yaml", ".yml"}


def _problems(task: Task, n: int) -> list[Problem]:
    splits = task.splits()
    found = list(splits.get(Split.TEST) or splits.get(Split.RETENTION) or ())
    if not found:
        raise InputError("--task: has neither test nor retention problems")
    taught = splits.get(Split.TRAIN, ())[:n] if has_measures(task) else ()
    return [*taught, *found[:n]]


def make_engine(student: str, settings: StudentConfig) -> tuple[Engine, str]:
    """Return an engine and what it calls a student; a checkpoint of a run is loaded over its base.

    Args:
        student: A folder (a run's checkpoint too), a hub id or a name.
        settings: How it generates; its `model` is not looked at.

    Raises:
        InputError: If the student cannot be had.
    """
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
