"""What the nodes work with: models, clients and files. Built once a process; never checkpointed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..agents.resolve import resolve_student
from ..config import RunConfig
from ..errors import InputError, one_line
from ..ledger import CallLedger
from ..memory import ErrorMemory
from ..plugins import Plugin, build, check, signed
from ..rundir import RunDir
from ..schema import BASE, Problem, Split
from ..seams import (
    Callback,
    Critic,
    Diagnostician,
    Embedder,
    Engine,
    Planner,
    Purifier,
    Stage,
    StepChecker,
    Task,
    Teacher,
)
from .lesson.critique import CriticCall
from .lesson.roster import Roster
from .prerequisites import task_prerequisites
from .purifier_call import PurifierCall
from .step_check import StepCheck


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
    """If it has `count_tokens`, rationales that are longer than the student's answers may be are turned away."""
    checker: StepCheck
    diagnostician: Diagnostician
    planner: Planner
    teachers: Mapping[str, Teacher]
    critic: Critic | None
    purifier: Purifier
    purifier_name: str
    embedder: Embedder
    stages: Sequence[Stage]
    callbacks: Sequence[Callback]
    """LangChain's callback handlers, which every node and model call of the run is told to."""

    @property
    def max_tokens(self) -> int | None:
        """Tokens that a lesson may have; None if the engine cannot count them."""
        return self.config.student.max_new_tokens if hasattr(self.engine, "count_tokens") else None

    def fits(self, text: str) -> bool:
        """Whether the student could write a text itself within its token limit."""
        return self.max_tokens is None or self.count_tokens(text) <= self.max_tokens

    def count_tokens(self, text: str) -> int:
        """Return a text's length in tokens of the student; in words if the engine cannot count them."""
        count: Callable[[str], int] | None = getattr(self.engine, "count_tokens", None)
        return len(text.split()) if count is None else count(text.strip())


@dataclass(frozen=True)
class RunContext(Parts):
    """The parts of a run with its run directory: the runtime context of the graph."""

    rundir: RunDir
    ledger: CallLedger
    memory: ErrorMemory
    roster: Roster
    critic_call: CriticCall
    """How the critic is called."""
    purifier_call: PurifierCall
    """How the purifier is called."""

    def checkpoint(self, name: str) -> str:
        """Return what the engine takes for a checkpoint's name in the state."""
        return name if name == BASE else str(self.rundir.path / name)

    def task_of(self, split: Split) -> Task:
        """Return the task whose instruction and grader a split goes by."""
        return self.retention if split is Split.RETENTION and self.retention else self.task


@dataclass(frozen=True)
class Objects:
    """Seams filled by objects from Python instead of by names in the configuration.

    Tasks and stages are not among them: a training process must be able to make them again.
    """

    teachers: Sequence[Teacher] = ()
    engine: Engine | None = None
    diagnostician: Diagnostician | None = None
    planner: Planner | None = None
    critic: Critic | None = None
    purifier: Purifier | None = None
    embedder: Embedder | None = None
    checker: StepChecker | None = None
    callbacks: Sequence[Callback] = ()
    """Besides those of the configuration. They only watch, so a resume may have others."""

    def given(self) -> set[str]:
        """Return the seams that are filled so."""
        return {name for name, value in self.names().items() if value}

    def names(self) -> dict[str, Any]:
        """Say which objects were given, so that a resume can ask for the same."""
        seams = [field.name for field in fields(self) if field.name not in ("teachers", "callbacks")]
        single = {name: getattr(self, name) is not None for name in seams}
        return {"teachers": [teacher.name for teacher in self.teachers], **single}


def build_parts(config: RunConfig, objects: Objects = Objects(), ledger: CallLedger | None = None) -> Parts:
    """Make everything the configuration names.

    Args:
        config: The run's configuration.
        objects: What takes the place of the configuration's parts.
        ledger: Offered to plug-ins that pay for calls.

    Raises:
        InputError: On the first part that cannot be made.
    """
    base = resolve_student(config.student.model)
    task: Task = build("tasks", config.task, seed=config.seed)
    retention: Task | None = build("tasks", config.retention.task, seed=config.seed) if config.retention else None
    problems = _split(task, config.task)
    if retention and config.retention:
        if problems.get(Split.RETENTION):
            raise InputError("retention: the task has a retention split of its own; set `retention: null` to use it")
        problems[Split.RETENTION] = list(_split(retention, config.retention.task).get(Split.RETENTION, ()))
    teachers = _teachers(config, objects.teachers, ledger)
    purifier = config.purifier.name if objects.purifier is None else type(objects.purifier).__name__
    return Parts(
        config=config,
        base=base,
        task=task,
        retention=retention,
        problems=problems,
        engine=_engine(config, base) if objects.engine is None else check("engines", objects.engine),
        checker=make_checker(config.checker, objects.checker),
        diagnostician=_part(
            "diagnosticians",
            objects.diagnostician,
            config.diagnostician,
            ledger=ledger,
            task_prerequisites=task_prerequisites(task, config.task.name),
        ),
        planner=_part("planners", objects.planner, config.planner),
        teachers=teachers,
        critic=_critic(config.teach.critic, objects.critic, ledger),
        purifier=_part("purifiers", objects.purifier, config.purifier, ledger=ledger),
        purifier_name=purifier,
        embedder=_part("embedders", objects.embedder, config.memory.embedder),
        stages=[build("stages", spec) for spec in config.training.stages],
        callbacks=[
            *(check("callbacks", one) for one in objects.callbacks),
            *(build("callbacks", spec) for spec in config.callbacks),
        ],
    )


def _split(task: Task, spec: Plugin) -> dict[Split, Sequence[Problem]]:
    try:
        with signed("tasks", spec):
            return dict(task.splits())
    except InputError:
        raise
    except Exception as error:  # of somebody's plug-in
        raise InputError(f"tasks: {spec.name}: splits: {one_line(error)}; mend the plug-in") from error


def _part(seam: str, given: Any, named: Plugin, **offered: Any) -> Any:
    """Return the object that was given, if it fills the seam, or make what the configuration names."""
    return build(seam, named, **offered) if given is None else check(seam, given)


def _critic(named: Plugin | None, given: Critic | None, ledger: CallLedger | None) -> Critic | None:
    made: Critic | None
    if given is not None:
        made = check("critics", given)
    else:
        made = None if named is None else build("critics", named, ledger=ledger)
    return made


def make_checker(named: Plugin | None, given: StepChecker | None) -> StepCheck:
    """Return the step checker that was given, or that the configuration names."""
    if given is not None:
        return StepCheck(check("checkers", given))
    return StepCheck(None) if named is None else StepCheck(build("checkers", named), named.name, named)


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
