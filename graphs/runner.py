"""Run the cycle graph in a run directory, from the start or from where it stopped."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from ..changes import changed_config
from ..config import RunConfig
from ..configfile import dump_config
from ..jsonl import write_atomic
from ..ledger import CallLedger
from ..reviewer import Reviewer
from ..reviews import under_review, write_reviews
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION
from .begin import begin, ledger_of, require_free, require_same_objects
from .context import Objects, Parts, RunContext, build_parts
from .cycle import build_cycle
from .opened import opened
from .part_checks import require_prices
from .preflight import require
from .state import CycleState
from .watched import watched

Listener = Callable[[dict[str, Any]], None]

_WAITS = "__interrupt__"
"""Under which LangGraph streams what a node waits for."""

_NODES_A_CYCLE = 10
"""More than the nodes of one cycle: LangGraph counts super-steps against its recursion limit."""


async def start(config: RunConfig, path: Path, objects: Objects, listen: Listener) -> RunDir:
    """Begin a run in a new directory and see it through.

    Args:
        config: What to run.
        path: The run directory; must not hold a run yet.
        objects: Seams filled by objects.
        listen: Called with every event of the graph's stream.

    Raises:
        InputError: If the configuration cannot work or the directory is taken; nothing was written.
        RunError: If the run fails; it can be resumed.
    """
    require_free(path)
    rundir = RunDir(path)
    ledger = ledger_of(config, rundir)
    parts = build_parts(config, objects, ledger)
    require(parts)
    rundir.lock()
    try:
        begin(rundir, parts, objects)
        await _drive(parts, rundir, ledger, listen)
    finally:
        ledger.close()
        rundir.unlock()
    return rundir


async def resume(
    path: Path,
    objects: Objects,
    listen: Listener,
    overrides: Sequence[str] = (),
    accept_rest: Reviewer | None = None,
) -> RunDir:
    """Go on with a run where it stopped; a finished run is left as it is.

    Args:
        path: The run directory.
        objects: The same objects as at the start.
        listen: Called with every event of the graph's stream.
        overrides: Fields to change first, `a.b=value` each, of those in `changes.CHANGEABLE`; they are written into the
            run's `config.yaml`.
        accept_rest: Who accepts the lessons that wait for a review, if somebody does.

    Raises:
        InputError: If the folder is no run directory, or a field may not be changed.
        RunError: If another process is running there, or the run fails again.
    """
    rundir = RunDir.open(path)
    changed_config(rundir, overrides)
    if rundir.result():
        return rundir
    require_same_objects(rundir, objects)
    rundir.lock()
    try:
        # Whoever had the lock until now may have finished the run, or changed its configuration: look again.
        config = changed_config(rundir, overrides)
        if not rundir.result():
            with ledger_of(config, rundir) as ledger:
                parts = build_parts(config, objects, ledger)
                _enter(rundir, parts, overrides, accept_rest)
                # The data may have changed since; the run goes on with the problems that it began with.
                await _drive(replace(parts, problems=rundir.problems()), rundir, ledger, listen)
    finally:
        rundir.unlock()
    return rundir


def _enter(rundir: RunDir, parts: Parts, overrides: Sequence[str], accept_rest: Reviewer | None) -> None:
    """Write what a run is gone on with: a changed configuration, and the reviews of who accepts the rest."""
    if overrides:
        require_prices(parts)
        write_atomic(rundir.config, dump_config(parts.config))
        rundir.write_event({"kind": "changed", "set": list(overrides)})
    if accept_rest is not None and (waiting := under_review(rundir)):
        write_reviews(rundir, waiting.cycle, [accept_rest.accept(one) for one in waiting.left])


async def _drive(parts: Parts, rundir: RunDir, ledger: CallLedger, listen: Listener) -> None:
    def emit(event: dict[str, Any]) -> None:
        rundir.write_event(event)
        listen(event)

    async with opened(parts, rundir, ledger, emit) as context:
        await _stream(context, emit)


async def _stream(context: RunContext, emit: Listener) -> None:
    limit = _NODES_A_CYCLE * (context.config.stop.cycles + 1)
    async with _checkpointer(context.rundir.graph) as saver:
        graph = build_cycle().compile(checkpointer=saver, name="tutelage")
        config: Any = {"configurable": {"thread_id": "run"}, "recursion_limit": limit, **watched(context)}
        before = await graph.aget_state(config)
        if before.values and not before.next:  # it has ended, but its result is lost: only that is made again
            context.rundir.forget_step(before.values["cycle"], "finish")
            await saver.adelete_thread("run")  # a thread keeps what a fresh state does not replace
        begin = None if before.next else CycleState(schema=SCHEMA_VERSION, cycle=0)
        if before.next:
            emit({"kind": "resumed", "cycle": before.values.get("cycle", 0), "node": before.next[0]})
        modes: Any = ["updates", "custom"]
        stream = graph.astream(begin, config, context=context, stream_mode=modes, durability="sync")
        async for mode, chunk in stream:
            emit(cast(dict[str, Any], chunk) if mode == "custom" else _told(cast(dict[str, Any], chunk)))


def _told(update: dict[str, Any]) -> dict[str, Any]:
    """Return a state update as an event, or what the graph waits for."""
    if waits := update.get(_WAITS):
        return {"kind": "waiting", **waits[0].value}
    return {"kind": "update", "update": update}


@asynccontextmanager
async def _checkpointer(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """Open LangGraph's checkpoints; a damaged file is moved aside, since the run directory can replay every step."""
    try:
        with sqlite3.connect(path) as probe:
            probe.execute("PRAGMA journal_mode=WAL")
            probe.execute("PRAGMA schema_version")
        probe.close()
    except sqlite3.OperationalError:
        raise  # locked, read-only, no space: nothing is wrong with the file
    except sqlite3.DatabaseError:
        path.replace(path.with_suffix(".damaged"))
    os.environ.setdefault(
        "LANGGRAPH_STRICT_MSGPACK", "true"
    )  # the state is plain JSON values; nothing else is read back
    async with aiosqlite.connect(path, timeout=30) as connection:
        await connection.execute("PRAGMA busy_timeout=30000")
        yield AsyncSqliteSaver(connection)
