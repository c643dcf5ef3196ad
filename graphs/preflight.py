"""Preflight: everything that would fail later, found before a call is paid for or a file is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from ..bill import Bill
from ..config import RunConfig
from ..errors import InputError, one_line
from ..ledger import CallLedger
from ..memory.connection import check_server
from ..plugins import Plugin, build, signed
from ..seams import Task
from ..tasks.splits import check_splits
from .context import Parts, build_parts
from .estimate import bills
from .notices import caveats, policy_line
from .part_checks import check_call, check_shared_calls, part_checks
from .prerequisites import known_skills, task_prerequisites


class Check(NamedTuple):
    """One line of `tutelage doctor`."""

    name: str
    problem: str | None
    """None if all is well."""


class Examination(NamedTuple):
    """What `tutelage doctor` found."""

    checks: list[Check]
    bills: Sequence[Bill] = ()
    """What the model calls will take, if all parts could be made."""


def require(parts: Parts) -> None:
    """Raise the first problem of parts that are made.

    Raises:
        InputError: As the check says it.
    """
    for name, check in part_checks(parts):
        try:
            check()
        except InputError:
            raise
        except Exception as error:  # of somebody's plug-in
            raise InputError(f"{name}: {one_line(error)}; mend the plug-in") from error


def examine_config(config: RunConfig) -> Examination:
    """Run every check; of parts that cannot all be made, those that need no other part. Nothing is paid for."""
    tried = [_try(name, make) for name, make in _makers(config)]
    found = [check for check, _ in tried]
    if any(check.problem for check in found):
        return Examination([*found, *(_try(name, check)[0] for name, check in _alone(config, tried))])
    try:
        parts = build_parts(config, ledger=CallLedger(None))
    except InputError as error:
        return Examination([*found, Check("parts", str(error))])
    found += [_try(name, check)[0] for name, check in part_checks(parts)]
    calls = {f"teacher {name} can be called": partial(check_call, name, one) for name, one in parts.teachers.items()}
    found += [_try(name, check)[0] for name, check in calls.items()]
    skills = known_skills(parts.problems)
    noticed, told = _try("notices", partial(caveats, parts.task, parts.diagnostician, config, skills))
    found += [noticed] if noticed.problem else [Check(text, None) for text in cast(list[str], told)]
    if any(check.problem for check in found):
        return Examination(found)
    estimated, made = _try("estimate", partial(bills, parts))
    return Examination([*found, estimated], cast(list[Bill] | None, made) or [])


def _try(name: str, act: Callable[[], object]) -> tuple[Check, object]:
    """Return what became of a check, and what it made."""
    try:
        return Check(name, None), act()
    except InputError as error:
        return Check(name, str(error)), None
    except Exception as error:  # of somebody's plug-in: the checks after it are still worth having
        return Check(name, f"{name}: {one_line(error)}; mend the plug-in"), None


def _makers(config: RunConfig) -> Iterator[tuple[str, Callable[[], object]]]:
    from ..agents.resolve import resolve_student

    if config.policy:
        yield policy_line(config), lambda: None
    if config.review:
        yield "review: each cycle waits for a person before it trains (`tutelage review`)", lambda: None
    yield "student", lambda: resolve_student(config.student.model)
    yield "task", partial(_drawn, config.task, config.seed)
    if config.retention:
        yield "retention", partial(_drawn, config.retention.task, config.seed)
    named = [
        *(("teachers", spec) for spec in config.teachers),
        *(("stages", spec) for spec in config.training.stages),
        *(("checkers", spec) for spec in [config.checker] if spec),
        ("diagnosticians", config.diagnostician),
        ("planners", config.planner),
        *(("critics", spec) for spec in [config.teach.critic] if spec),
        ("purifiers", config.purifier),
        ("embedders", config.memory.embedder),
        *(("callbacks", spec) for spec in config.callbacks),
    ]
    for seam, spec in named:
        yield f"{seam[:-1]} {spec.name}", partial(build, seam, spec, ledger=CallLedger(None))


def _drawn(spec: Plugin, seed: int) -> Task:
    task: Task = build("tasks", spec, seed=seed)
    with signed("tasks", spec):
        task.splits()
    task_prerequisites(task, spec.name)
    return task


def _alone(config: RunConfig, tried: list[tuple[Check, object]]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield what can be checked of a part without the others."""
    if config.teach.shared_calls:
        yield "teach.shared_calls", partial(check_shared_calls, Path(config.teach.shared_calls))
    if config.memory.server:
        yield "memory.server", partial(check_server, config.memory.server, config.memory.token_env)
    for check, made in tried:
        if check.name == "task" and isinstance(made, Task):
            yield "splits and grading", partial(check_splits, made)
        elif hasattr(made, "check"):
            yield f"{check.name} works", made.check
