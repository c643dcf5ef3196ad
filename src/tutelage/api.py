"""Tutelage from Python: `run`, `arun` and `resume`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .changes import changed_config
from .config import RunConfig
from .configfile import load_config, parse_config
from .configplace import placing
from .reviewer import Reviewer
from .rundir import RunDir
from .schema import CycleReport, Lesson
from .seams import Callback, Critic, Diagnostician, Embedder, Engine, Planner, Purifier, StepChecker, Teacher
from .traces import summarise, trace
from .tracking import Listener, tracked


@dataclass(frozen=True)
class Result:
    """A run that has finished, or that waits for a review (`summary["status"]` says so)."""

    path: Path
    """The run directory."""

    @property
    def reports(self) -> list[CycleReport]:
        """One report a cycle, the base student's exam first."""
        return RunDir(self.path).reports()

    @property
    def summary(self) -> dict[str, Any]:
        """The run as `tutelage show --json` prints it."""
        return summarise(RunDir(self.path))

    @property
    def student_path(self) -> Path | None:
        """The best checkpoint's folder; None if no cycle was better than the base student.

        Its `tutelage.json` says what lies there: full weights, an adapter, or a library of strategies
        (`strategies.json`) with the path of the weights that it goes with.
        """
        best = self.summary["student"]["best"]
        return None if best in (None, "base") else self.path / best

    def lessons(self, cycle: int) -> list[Lesson]:
        """Return what was taught in a cycle."""
        return RunDir(self.path).lessons(cycle)

    def trace(self, problem_id: str | None = None) -> dict[str, Any]:
        """Return one problem's life as `tutelage trace --json` prints it; without an id, of a telling one.

        Raises:
            InputError: If the run has no such problem.
        """
        return trace(RunDir(self.path), problem_id)


def as_config(config: str | Path | Mapping[str, Any] | RunConfig) -> RunConfig:
    """Read a configuration from a file, a mapping or itself.

    Raises:
        InputError: If it is wrong.
    """
    if isinstance(config, RunConfig):
        return config
    return parse_config(dict(config)) if isinstance(config, Mapping) else load_config(config)


async def arun(
    config: str | Path | Mapping[str, Any] | RunConfig,
    *,
    teachers: Sequence[Teacher] = (),
    engine: Engine | None = None,
    diagnostician: Diagnostician | None = None,
    planner: Planner | None = None,
    critic: Critic | None = None,
    purifier: Purifier | None = None,
    embedder: Embedder | None = None,
    checker: StepChecker | None = None,
    callbacks: Sequence[Callback] = (),
    run_dir: str | Path | None = None,
    listen: Listener | None = None,
) -> Result:
    """Run the whole loop.

    A lock that another process holds is waited for up to half a second, in which the event loop stands still.

    Args:
        config: A YAML file's path, a mapping, or a RunConfig.
        teachers: Teacher objects in place of the configuration's teachers.
        engine: An object in place of the configuration's engine; likewise the next six.
        diagnostician: See `tutelage.seams.Diagnostician`.
        planner: See `tutelage.seams.Planner`.
        critic: See `tutelage.seams.Critic`.
        purifier: See `tutelage.seams.Purifier`.
        embedder: See `tutelage.seams.Embedder`.
        checker: See `tutelage.seams.StepChecker`.
        callbacks: LangChain callback handlers, which are told of every node and model call.
        run_dir: Where to write; `runs/<name>` by default.
        listen: Called with every event of the graph's stream.

    Raises:
        InputError: If the input is wrong; nothing was written.
        RunError: If another process is running there, or the run fails; `resume` goes on with it.
    """
    from .graphs.context import Objects
    from .graphs.runner import start

    made = as_config(config)
    path = Path(run_dir) if run_dir else Path("runs") / made.name
    objects = Objects(teachers, engine, diagnostician, planner, critic, purifier, embedder, checker, callbacks)
    placed = placing(made, Path(config), objects=objects.given()) if isinstance(config, str | Path) else nullcontext()
    with placed, tracked(path, made, listen or (lambda event: None)) as heard:
        await start(made, path, objects, heard)
    return Result(path)


async def aresume(
    run_dir: str | Path,
    *,
    teachers: Sequence[Teacher] = (),
    engine: Engine | None = None,
    diagnostician: Diagnostician | None = None,
    planner: Planner | None = None,
    critic: Critic | None = None,
    purifier: Purifier | None = None,
    embedder: Embedder | None = None,
    checker: StepChecker | None = None,
    callbacks: Sequence[Callback] = (),
    listen: Listener | None = None,
    overrides: Sequence[str] = (),
    accept_rest: str | None = None,
) -> Result:
    """Go on with a run where it stopped; give the same objects as to `arun`, which waits for a lock alike.

    Args:
        run_dir: The run's folder.
        teachers: See `arun`; likewise the next eight.
        engine: See `arun`.
        diagnostician: See `arun`.
        planner: See `arun`.
        critic: See `arun`.
        purifier: See `arun`.
        embedder: See `arun`.
        checker: See `arun`.
        callbacks: See `arun`; these may be others.
        listen: See `arun`.
        overrides: Fields to change first, such as `stop.max_usd=2`, of those in `tutelage.changes.CHANGEABLE`; they
            are written into the run's `config.yaml`.
        accept_rest: The name of who accepts the lessons that wait for a review; None if nobody does.

    Raises:
        InputError: If the folder is no run directory, a field may not be changed, or the name is none.
        RunError: If another process is running there, or the run fails again.
    """
    from .graphs.context import Objects
    from .graphs.runner import resume

    objects = Objects(teachers, engine, diagnostician, planner, critic, purifier, embedder, checker, callbacks)
    reviewer = None if accept_rest is None else Reviewer(accept_rest)
    rundir = RunDir.open(Path(run_dir))
    with _watched(rundir, overrides, objects.given(), listen) as heard:
        await resume(rundir.path, objects, heard, overrides, reviewer)
    return Result(rundir.path)


@contextmanager
def _watched(
    rundir: RunDir, overrides: Sequence[str], objects: Collection[str], listen: Listener | None
) -> Iterator[Listener]:
    """Tell what is wrong with a run that is gone on with by its place, and track it."""
    config = changed_config(rundir, overrides)
    placed = placing(config, rundir.config, overrides, objects)
    with placed, tracked(rundir.path, config, listen or (lambda event: None)) as heard:
        yield heard


def run(config: str | Path | Mapping[str, Any] | RunConfig, **options: Any) -> Result:
    """Run the whole loop; see `arun` for the arguments. Not for use inside a running event loop."""
    return asyncio.run(arun(config, **options))


def resume(run_dir: str | Path, **options: Any) -> Result:
    """Go on with a run; see `aresume` for the arguments. Not for use inside a running event loop."""
    return asyncio.run(aresume(run_dir, **options))
