"""The graph that LangGraph Studio opens (`langgraph.json`): the same nodes, with a configuration as their input.

A run's nodes get handles (models, files) as LangGraph's context; a server can only send JSON. So here each node opens
the run directory itself and closes it again, as `tutelage resume` would, and the state says where it lies.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from langgraph.channels import EphemeralValue
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..changes import changed_config
from ..config import RunConfig
from ..configfile import load_config
from ..configplace import placing
from ..errors import InputError, RunError
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION
from ..secret import without_secrets
from .begin import begin, ledger_of, require_free, require_same_objects
from .context import Objects, RunContext, build_parts
from .cycle import connect, nodes
from .evaluate import route
from .opened import opened
from .preflight import require
from .review import after_purify
from .state import CycleState
from .step import Node
from .watched import act_watched

Writer = Callable[[Any], None]

# `langgraph dev` stops code that reads or writes a file in its event loop, unless it is started with
# `--allow-blocking`. Ours does; `langgraph.json` has each run use a loop of its own, so that nobody waits for it.
os.environ["LANGGRAPH_ALLOW_BLOCKING"] = "true"


class StudioInput(BaseModel):
    """What a person gives."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    config: str = ""
    """A YAML configuration, such as `examples/tiny.yaml`; not needed where `run_dir` holds a run."""
    set: list[str] = Field(default_factory=list)
    """Fields of `config` to override, such as `stop.cycles=1`."""
    run_dir: str = ""
    """Where to write; a run that lies there is gone on with. If left out, `runs/<name>`, or one with a number."""


class StudioState(TypedDict, total=False):
    """The state of the cycle, and where the run lies."""

    loop: CycleState
    """Begun anew by `open`: steps are known by the state they start from, and a thread keeps what is not replaced."""
    config: Annotated[str, EphemeralValue]
    """Only for `open`: who submits something else in the same thread does not mean this one, too."""
    set: Annotated[list[str], EphemeralValue]
    run_dir: str


async def open_run(state: StudioInput) -> StudioState:
    """Check what was given and begin a run directory, or find the one that is to be gone on with.

    Raises:
        RuntimeError: If the input is wrong; nothing was written.
    """
    with _shown():
        path = _begun(state).absolute()
    return StudioState(loop=CycleState(schema=SCHEMA_VERSION, cycle=0), run_dir=str(path))


def _begun(state: StudioInput) -> Path:
    if state.run_dir and (Path(state.run_dir) / "config.yaml").is_file():
        return _taken_up(state)
    if not state.config:
        raise InputError('give a configuration as input, such as {"config": "examples/tiny.yaml"}')
    config = load_config(state.config, state.set)
    _require_untracked(config, 'submit "set": ["track.mlflow=null"] too, or run it with `tutelage run`')
    rundir = RunDir(Path(state.run_dir) if state.run_dir else _free(Path("runs") / config.name))
    require_free(rundir.path)
    with placing(config, Path(state.config), state.set), ledger_of(config, rundir) as ledger:
        parts = build_parts(config, Objects(), ledger)
        require(parts)
        rundir.lock()
        try:
            begin(rundir, parts, Objects())
        finally:
            rundir.unlock()
    return rundir.path


def _taken_up(state: StudioInput) -> Path:
    """Return the directory of a run that can be gone on with here."""
    if state.config or state.set:
        raise InputError(
            f"run_dir {state.run_dir}: holds a run, which has its configuration; leave `config` and `set` out, or give "
            "another `run_dir`, which a thread keeps"
        )
    rundir = RunDir.open(Path(state.run_dir))
    if not rundir.result():
        remedy = f"go on with `tutelage resume {shlex.quote(str(rundir.path))}`"
        _require_untracked(changed_config(rundir, ()), remedy)
        require_same_objects(rundir, Objects())
    return rundir.path


def _require_untracked(config: RunConfig, remedy: str) -> None:
    if config.track.mlflow:
        raise InputError(f"track.mlflow: the Studio shows a run to no other tool; {remedy}")


def _free(path: Path) -> Path:
    """Return the path, or the first with a number behind it that nothing lies at: who submits again means a new run."""
    if not path.exists():
        return path
    return next(one for number in count(2) if not (one := path.with_name(f"{path.name}-{number}")).exists())


def opening(node: Node) -> Any:
    """Return what stands for a node of the loop: it opens the run, does the node's work and closes the run."""

    async def run(state: StudioState, runtime: Runtime[None]) -> StudioState:
        again = f'; submit {{"run_dir": "{state["run_dir"]}"}} to go on'
        async with _held(state["run_dir"], runtime.stream_writer, again) as (context, emit):
            inner = cast(Runtime[RunContext], replace(cast(Any, runtime), context=context, stream_writer=emit))
            try:
                update = await act_watched(node, state["loop"], inner)
            except GraphInterrupt as waits:
                emit({"kind": "waiting", **waits.args[0][0].value})
                raise
            context.rundir.write_event({"kind": "update", "update": {node.__name__: dict(update)}})
            return StudioState(loop={**state["loop"], **update})

    run.__name__ = node.__name__
    run.__doc__ = node.__doc__
    return run


@asynccontextmanager
async def _held(path: str, tell: Writer, remedy: str) -> AsyncIterator[tuple[RunContext, Writer]]:
    """Open a run for one node; yield its context, and what takes events."""

    def emit(event: Any) -> None:
        rundir.write_event(event)
        tell(event)

    with _shown(remedy):
        rundir = RunDir.open(Path(path))
        rundir.lock()
        try:
            if rundir.result():
                raise RunError(f"{path}: has been finished elsewhere meanwhile, and nothing of it is done again")
            config = changed_config(rundir, ())
            with placing(config, rundir.config), ledger_of(config, rundir) as ledger:
                parts = replace(build_parts(config, Objects(), ledger), problems=rundir.problems())
                async with opened(parts, rundir, ledger, emit) as context:
                    yield context, emit
        finally:
            rundir.unlock()


@contextmanager
def _shown(remedy: str = "") -> Iterator[None]:
    """Raise our errors as one of Python's own: of any other kind the server shows the type and keeps the message."""
    try:
        yield
    except (InputError, RunError) as error:
        raise RuntimeError(without_secrets(str(error)) + remedy) from error


def wants_review(state: StudioState) -> Literal["review", "consolidate"]:
    """Name the next node: a person's, where a cycle has one look."""
    rundir = RunDir.open(Path(state["run_dir"]))
    return after_purify(rundir, state["loop"]["cycle"], changed_config(rundir, ()).review)


def goes_on(state: StudioState) -> str:
    """Name the next node: another cycle, or the end."""
    return route(state["loop"])


def first_node(state: StudioState) -> str:
    """Name the node after `open`: none where the run is finished, since nothing of it is done again."""
    return END if RunDir.open(Path(state["run_dir"])).result() else "baseline"


def build_studio() -> StateGraph[StudioState, None, StudioInput, StudioState]:
    """Wire the nodes of the loop behind one that begins the run."""
    builder = StateGraph(StudioState, input_schema=StudioInput)
    builder.add_node("open", open_run)
    builder.add_edge(START, "open")
    builder.add_conditional_edges("open", first_node, ["baseline", END])
    connect(builder, [opening(node) for node in nodes()], wants_review, goes_on)
    return builder


graph = build_studio().compile(name="tutelage")
"""What `langgraph.json` names."""
