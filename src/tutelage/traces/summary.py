"""The cycles of a run side by side, and how the run stands."""

from __future__ import annotations

from typing import Any

from .. import jsonl
from ..reviews import Standing, under_review
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION, CycleReport, Diagnosis, Weakness
from .spent import Spending, read_spending

WAITING = "waiting for review"
"""The status of a run that goes on once a person has looked at its lessons."""


def summarise(rundir: RunDir, spending: Spending | None = None) -> dict[str, Any]:
    """Return the run as `tutelage show --json` prints it.

    Args:
        rundir: The run.
        spending: What it has spent, if that was read before.
    """
    state = status(rundir)
    # A run that finishes meanwhile is told as it was a moment ago, rather than half.
    result = (rundir.result() if state == "finished" else None) or {}
    last = last_event(rundir) or {}
    stopped = last.get("why") if last.get("kind") == "stopped" and state == "interrupted" else None
    reports, waits = rundir.reports(), under_review(rundir)
    test = result.get("test")
    return {
        "schema": SCHEMA_VERSION,
        "run": rundir.path.resolve().name,
        "status": state,
        "stop_reason": result.get("stop_reason") or stopped,
        "failure": last.get("why") if state == "failed" else None,
        **({"review": _standing(waits)} if waits else {}),
        "student": result.get("student") or _student_so_far(rundir),
        "test": test or {"base": None, "best": None, "n": None},
        **({"measures": result["measures"]} if "measures" in result else {}),
        "cost": (spending or read_spending(rundir)).so_far(reports),
        "cycles": [_cycle(report, rundir.diagnosis(report.cycle)) for report in reports],
    }


def status(rundir: RunDir) -> str:
    """Return `finished`, `running`, `failed`, `waiting for review` or `interrupted`."""
    held = rundir.locked  # looked at first: who has given the run back has written its result before
    if rundir.result():
        return "finished"
    if held:
        return "running"
    last = last_event(rundir)
    if last and last.get("kind") == "failed":
        return "failed"
    waits = under_review(rundir)
    return WAITING if waits and waits.left else "interrupted"


def _standing(waits: Standing) -> dict[str, int]:
    return {"cycle": waits.cycle, "lessons": len(waits.proposals), "left": len(waits.left)}


def last_event(rundir: RunDir) -> dict[str, Any] | None:
    """Return the last whole event of the run."""
    event: dict[str, Any] | None = jsonl.last(rundir.events)
    return event


def _student_so_far(rundir: RunDir) -> dict[str, Any]:
    return {"base": rundir.settings()["student"]["model"], "best": None, "best_cycle": None}


def _cycle(report: CycleReport, diagnosis: Diagnosis | None) -> dict[str, Any]:
    row = report.model_dump(mode="json")
    row["weaknesses"] = [_weakness(weakness) for weakness in report.weaknesses]
    row["mastery"] = [
        {"skill": one.skill, "mean": one.mean, "low": one.low, "high": one.high, "chance": one.chance}
        for one in (diagnosis.mastery if diagnosis else ())
    ]
    return row


def _weakness(weakness: Weakness) -> dict[str, Any]:
    shown = weakness.model_dump(mode="json", include={"name", "pass_rate", "support", "severity"})
    test = weakness.confirmation
    told = test.model_dump(mode="json", include={"asked", "passed", "probability"}) if test else None
    return {**shown, "confirmed": weakness.confirmed, "confirmation": told}
