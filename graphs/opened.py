"""What the nodes work with, open as long as they do; a failure is written down and becomes one line."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any

from langgraph.errors import GraphBubbleUp

from ..budget import overspent
from ..errors import BudgetSpent, InputError, RunError, one_line
from ..ledger import CallLedger
from ..rundir import RunDir
from ..secret import without_secrets
from .context import Parts, RunContext
from .lesson.critique import CriticCall
from .lesson.recall import open_memory
from .lesson.roster import Roster
from .purifier_call import PurifierCall

Emit = Callable[[dict[str, Any]], None]


@asynccontextmanager
async def opened(parts: Parts, rundir: RunDir, ledger: CallLedger, emit: Emit) -> AsyncIterator[RunContext]:
    """Open the memory and what calls the plug-ins, and close them again.

    Args:
        parts: The run's parts.
        rundir: Its directory, which is locked.
        ledger: Its calls; whoever gave it closes it.
        emit: Takes every event.

    Raises:
        BudgetSpent: If what is done inside may pay for no more calls.
        RunError: If it fails; why is in the events, and where in `error.log` if there is more to it.
    """
    (rundir.path / "error.log").unlink(missing_ok=True)  # of an earlier failure
    context = _context(parts, rundir, ledger, emit)
    try:
        try:
            yield context
        finally:
            await _close(context, emit)
    except GraphBubbleUp:
        raise  # the graph waits for a person: no failure
    except BudgetSpent as error:
        spent = overspent(ledger.cost(), parts.config.stop.max_usd, parts.config.stop.max_tokens) or error
        emit({"kind": "stopped", "why": str(spent)})  # with what was still under way when the first call was refused
        raise spent from None
    except (InputError, RunError) as error:
        if error.__cause__ is not None:  # a plug-in's author wants to see where
            rundir.write_error(traceback.format_exc())
        told = without_secrets(str(error))
        emit({"kind": "failed", "why": told})
        raise RunError(told) from error  # the run has begun: no InputError any more, and it can be resumed
    except Exception as error:
        rundir.write_error(traceback.format_exc())
        emit({"kind": "failed", "why": without_secrets(repr(error))})
        raise RunError(one_line(error)) from error


def _context(parts: Parts, rundir: RunDir, ledger: CallLedger, emit: Emit) -> RunContext:
    settings = parts.config.teach
    seconds, failures = settings.timeout, settings.bench_after
    return RunContext(
        **{field.name: getattr(parts, field.name) for field in fields(parts)},
        rundir=rundir,
        ledger=ledger,
        memory=open_memory(parts.config, rundir, parts.embedder),
        roster=Roster(parts.teachers, seconds, failures),
        critic_call=CriticCall(parts.critic, seconds, failures, emit),
        purifier_call=PurifierCall(parts.purifier, parts.purifier_name, seconds, failures, emit),
    )


async def _close(context: RunContext, emit: Emit) -> None:
    context.memory.close()
    context.engine.release()
    await context.roster.close(emit)
    for told in (await context.critic_call.close(), await context.purifier_call.close()):
        if told:
            emit({"kind": "note", "text": told})
