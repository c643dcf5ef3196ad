"""The way that a run took through the state machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import jsonl
from ..errors import RunError, short
from ..rundir import RunDir

CUT_OFF = "cut off"
"""How a node ended that a kill ended."""


@dataclass
class Visit:
    """One node, once."""

    cycle: int
    node: str
    state: str = CUT_OFF
    """`done`, `already done` where a resume passed over it, `waiting` for a person, `under way`, `failed`,
    `stopped`, or `cut off` by a kill."""
    seconds: float | None = None


def path_taken(rundir: RunDir) -> list[Visit]:
    """Return the nodes that were entered, in order.

    Raises:
        RunError: If a row is no event.
    """
    visits: list[Visit] = []
    for event in jsonl.read(rundir.events):
        if not isinstance(event, dict):
            raise RunError(f"{rundir.events}: {short(event)} is no event; the file was changed?")
        kind = event.get("kind")
        if kind in ("started", "skipped"):
            visits.append(Visit(event["cycle"], event["node"], "already done" if kind == "skipped" else CUT_OFF))
        elif kind in ("finished", "failed", "stopped", "waiting") and visits:
            _end(visits[-1], event)
    if visits and visits[-1].state == CUT_OFF and rundir.locked:
        visits[-1].state = "under way"
    return visits


def _end(visit: Visit, event: dict[str, Any]) -> None:
    if event["kind"] == "finished":
        visit.state, visit.seconds = "done", event["seconds"]
    elif visit.state == CUT_OFF:
        visit.state = event["kind"]
