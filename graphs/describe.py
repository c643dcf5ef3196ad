"""Describe: a diagnostician that has a describer lets it put weaknesses into words; nothing else of them changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..daemon import DaemonCaller, Raised
from ..errors import BudgetSpent, RunFileError, flat
from ..ledger import ledger_scope
from ..schema import Diagnosis, Problem
from .context import RunContext
from .lesson.call import close_plugin

AGENT = "diagnostician"
"""Its name among the calls that are paid for."""


async def described(
    context: RunContext, write: Callable[[dict[str, Any]], None], diagnosis: Diagnosis, problems: Mapping[str, Problem]
) -> Diagnosis:
    """Return the diagnosis in the describer's words, or as it is, with a note, if that fails.

    Args:
        context: The run.
        write: Takes the events.
        diagnosis: What the diagnostician found.
        problems: All problems by id, tagged as the diagnosis has it.

    Raises:
        BudgetSpent: If the run may pay for no more calls.
        RunFileError: If a file of the run fails.
    """
    describer = getattr(context.diagnostician, "describer", None)
    if describer is None:
        return diagnosis
    caller = DaemonCaller(AGENT)
    try:
        came, failed = await _asked(context, caller, describer, diagnosis, problems)
    finally:
        unclosed = await close_plugin(caller, describer, AGENT)
    for told in filter(None, (failed, unclosed)):
        write({"kind": "note", "cycle": diagnosis.cycle, "text": told})
    return came


async def _asked(
    context: RunContext, caller: DaemonCaller, describer: Any, diagnosis: Diagnosis, problems: Mapping[str, Problem]
) -> tuple[Diagnosis, str | None]:
    """Return the diagnosis described, and None; or as it is, and why."""
    seconds = context.config.teach.timeout
    try:
        with ledger_scope(cycle=diagnosis.cycle, agent=AGENT):
            came = await caller.call(describer.describe, diagnosis, problems, timeout=seconds)
        if isinstance(came, Diagnosis):
            return _with_words(diagnosis, came), None
        why = f"returned a {type(came).__name__}; return a Diagnosis"
    except TimeoutError:
        why = f"no answer within {seconds:g} seconds; raise teach.timeout, or look why it hangs"
    except Raised as raised:
        if isinstance(raised.error, BudgetSpent | RunFileError):
            raise raised.error from raised.error.__cause__
        why = flat(raised.error)
    return diagnosis, f"diagnostician: describe: {why}; the descriptions made without it stand"


def _with_words(diagnosis: Diagnosis, came: Diagnosis) -> Diagnosis:
    """Take the descriptions of what came, and nothing else."""
    skills = {skill.name: skill.description for skill in came.discovered}
    weak = {weakness.name: weakness.description for weakness in came.weaknesses}
    return diagnosis.model_copy(
        update={
            "discovered": tuple(
                one.model_copy(update={"description": skills.get(one.name, one.description)})
                for one in diagnosis.discovered
            ),
            "weaknesses": tuple(
                one.model_copy(update={"description": weak.get(one.name, one.description)})
                for one in diagnosis.weaknesses
            ),
        }
    )
