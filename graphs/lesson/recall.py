"""Recall: the run's memory, and what of it a teacher may be shown."""

from __future__ import annotations

from collections.abc import Callable

from ...config import RunConfig
from ...lineage import lineage
from ...memory import ErrorMemory
from ...memory.connection import ServerConnection
from ...plugins import Plugin
from ...rundir import RunDir
from ...schema import BASE, RecalledError, TeachingRequest
from ...seams import Embedder
from ..context import RunContext


def open_memory(config: RunConfig, rundir: RunDir, embedder: Embedder) -> ErrorMemory:
    """Open the memory of a run; its vectors lie where the configuration says.

    Raises:
        InputError: If `memory.server` or `memory.token_env` cannot be used.
        RunError: If another process has it, or its journal is corrupt.
    """
    memory, server = config.memory, None
    if memory.server is not None:
        server = ServerConnection(memory.server, rundir.memory, memory.token_env)
    return ErrorMemory(
        rundir.memory, embedder, task=task_name(config.task), capacity=memory.capacity, connection=server
    )


def task_name(task: Plugin) -> str:
    """Name a task in the memory: the plug-in, and the data set where it is one by name."""
    dataset = task.options.get("dataset")
    return f"{task.name}:{dataset}" if isinstance(dataset, str) else task.name


def recaller(context: RunContext, student: str) -> Callable[[TeachingRequest], tuple[RecalledError, ...]]:
    """Return what looks up past errors for a request: of earlier cycles, of students that this one came from."""
    config = context.config
    limit = config.memory.recall if "recalled" in config.teach.hears else 0
    line = frozenset({BASE, student, *(report.student for report in lineage(context.rundir.reports(), student))})

    def recall(request: TeachingRequest) -> tuple[RecalledError, ...]:
        if not limit:
            return ()
        return context.memory.recall(
            request.problem,
            None,
            request.weakness,
            limit,
            before_cycle=request.cycle,
            exclude_problem=True,
            attempt=next(iter(request.attempts), None),
            students=line,
        )

    return recall
