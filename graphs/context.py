"""What the nodes work with: models, clients and files. Built once a process; never checkpointed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..agents.resolve import resolve_student
from ..config import RunConfig
from ..errors import InputError
from ..ledger import CallLedger
from ..memory import ErrorMemory
from ..plugins import build, check
from ..rundir import RunDir
from ..schema import BASE, Problem, Split
from ..seams import Diagnostician, Embedder, Engine, Planner, Purifier, Stage, Task, Teacher


@dataclass(frozen=True)
class Parts:
    """Everything the configuration names, made and checked; nothing is written by making it."""

    config: RunConfig
    base: Path
    """The base student's folder."""
    task: Task
    retention: Task | None
    problems: Mapping[Split, Sequence[Problem]]
    engine: Engine
    diagnostician: Diagnostician
    planner: Planner
    teachers: Mapping[str, Teacher]
    purifier: Purifier
    embedder: Embedder
    stages: Sequence[Stage]


@dataclass(frozen=True)
class RunContext(Parts):
    """The parts of a run with its run directory: the runtime context of the graph."""

    rundir: RunDir
    ledger: CallLedger
    memory: ErrorMemory

    def checkpoint(self, name: str) -> str:
        """Return what the engine takes for a checkpoint's name in the state."""
        return name if name == BASE else str(self.rundir.path / name)

    def task_of(self, split: Split) -> Task:
        """Return the task whose instruction and grader a split goes by."""
        return self.retention if split is Split.RETENTION and self.retention else self.task


def build_parts(
    config: RunConfig, teachers: Sequence[Teacher] = (), ledger: CallLedger | None = None, engine: Engine | None = None
) -> Parts:
    """Make everything the configuration names.

    Args:
        config: The run's configuration.
        teachers: Teachers given as objects; they take the place of the configuration's.
        ledger: Offered to plug-ins that pay for calls.
        engine: Takes the place of the configuration's engine.

    Raises:
        InputError: On the first part that cannot be made.
    """
    base = resolve_student(config.student.model)
    task: Task = build("tasks", config.task, seed=config.seed)
    retention: Task | None = build("tasks", config.retention.task) if config.retention else None
    problems = dict(task.splits())
    if retention:
        if problems.get(Split.RETENTION):
            raise InputError("retention: the task has a retention split of its own; set `retention: null` to use it")
        problems[Split.RETENTION] = list(retention.splits().get(Split.RETENTION, ()))
    return Parts(
        config=config,
        base=base,
        task=task,
        retention=retention,
        problems=problems,
        engine=engine or _engine(config, base),
        diagnostician=build("diagnosticians", config.diagnostician),
        planner=build("planners", config.planner),
        teachers=_teachers(config, teachers, ledger),
        purifier=build("purifiers", config.purifier),
        embedder=build("embedders", config.memory.embedder),
        stages=[build("stages", spec) for spec in config.training.stages],
    )


def _engine(config: RunConfig, base: Path) -> Engine:
    student = config.student
    engine: Engine = build(
        "engines",
        student.engine,
        base=base,
        device=student.device,
        precision=student.precision,
        batch_size=student.batch_size,
        max_new_tokens=student.max_new_tokens,
        temperature=student.temperature,
    )
    return engine


def _teachers(config: RunConfig, given: Sequence[Teacher], ledger: CallLedger | None) -> dict[str, Teacher]:
    """Name the teachers; two of one name are told apart by a number."""
    made = [check("teachers", teacher) for teacher in given] or [
        build("teachers", spec, ledger=ledger, seed=config.seed) for spec in config.teachers
    ]
    named: dict[str, Teacher] = {}
    for teacher in made:
        name, number = teacher.name, 2
        while name in named:
            name, number = f"{teacher.name}-{number}", number + 1
        named[name] = teacher
    return named
