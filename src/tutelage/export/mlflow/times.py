"""When the nodes of a run worked, by its events: what MLflow's runs, metrics and spans are dated with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ... import jsonl
from ...lineage import REPORTING
from ...rundir import RunDir

_NODE_OF = {
    "diagnosis": "diagnose",
    "plan": "plan",
    "purification": "purify",
    "lesson": "purify",
    "proposal": "purify",
    "review": "consolidate",  # of a run whose events know no node `review`
    "strategy": "consolidate",
}
"""In which node of the cycle something happens; all else is in `teach`, and the student's answers at either end."""


class Times:
    """Times of a run, in seconds since 1970."""

    def __init__(self, rundir: RunDir) -> None:
        """Read the events; a run without any is dated by its configuration."""
        self.first = self.last = rundir.config.stat().st_mtime
        self._began: dict[tuple[int, str], float] = {}
        self._ended: dict[tuple[int, str], float] = {}
        self._seen: dict[int, float] = {}
        for number, event in enumerate(jsonl.read(rundir.events)):
            self.first = float(event["time"]) if number == 0 else self.first
            self._note(event)

    def _note(self, event: dict[str, Any]) -> None:
        self.last = float(event["time"])
        if "cycle" not in event:
            return
        self._seen[event["cycle"]] = self.last
        place = (event["cycle"], str(event.get("node")))
        if event["kind"] == "started":
            self._began.setdefault(place, self.last)
        elif event["kind"] == "finished":
            self._ended[place] = self.last
        elif event["kind"] == "skipped":  # by a resume, since it had finished
            self._ended.setdefault(place, self.last)

    def over(self, cycle: int) -> bool:
        """Return whether all of a cycle is written; it is taken to be where there are no events to tell."""
        return not self._seen or any((cycle, node) in self._ended for node in REPORTING)

    def end_of(self, cycle: int) -> float:
        """Return when a cycle was last at work."""
        return self._seen.get(cycle, self.last)

    def lesson(self, cycle: int) -> tuple[float, float]:
        """Return from when to when lessons were prepared in a cycle, from its exam to the purifier's decisions."""
        began = self._began.get((cycle, "examine"), self.first)
        return began, max(began, self._ended.get((cycle, "purify"), self.end_of(cycle)))

    def of(self, event: dict[str, Any], candidate: str) -> float:
        """Return when the node began in which an event of a problem's life took place."""
        cycle, kind = event["cycle"], event["kind"]
        if kind in ("review", "lesson") and (cycle, "review") in self._began:
            return self._in_review(event)
        node = _NODE_OF.get(kind, "teach")
        if kind == "attempt":
            node = "evaluate" if event["student"] == candidate else "examine"
        return self._began.get((cycle, node), self.lesson(cycle)[0])

    def _in_review(self, event: dict[str, Any]) -> float:
        """Return when a person decided, by the review's own time in whole seconds; or when the lessons were written."""
        place = (event["cycle"], "review")
        began = self._began[place]
        if event["kind"] == "lesson":
            return self._ended.get(place, began)
        return max(began, datetime.fromisoformat(event["time"]).timestamp())
