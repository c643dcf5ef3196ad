"""What a person sees while a run goes on."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..lineage import REPORTING
from ..rundir import RunDir
from .cycle import cycle_lines
from .text import plain


class RunProgress:
    """Listens to the graph's stream: progress bars while it works, a block of lines after each cycle."""

    def __init__(self, console: Console) -> None:
        """Draw on a console; bars only where it is a terminal."""
        self.console = console
        self.rundir: RunDir | None = None
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> RunProgress:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        self._bars.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event."""
        kind = event.get("kind")
        if kind == "started":
            self._clear()
            self._tasks[event["node"]] = self._bars.add_task(f"cycle {event['cycle']}: {event['node']}", total=None)
        elif kind == "progress":
            self._advance(event)
        elif kind == "training":
            name = f"{event['stage']} on {event['lessons']} lessons"
            self._tasks[name] = self._bars.add_task(f"  {name}", total=None)
        elif kind == "finished":
            self._clear()
            self._report(event)
        elif kind in ("benched", "note", "alarm"):
            self.console.print(plain(event["text"]))
        elif kind == "resumed":
            self.console.print(f"resumed at cycle {event['cycle']}, {event['node']}", highlight=False)

    def _advance(self, event: dict[str, Any]) -> None:
        node, total = event["node"], event["total"]
        if not total:
            return
        if node not in self._tasks:
            self._tasks[node] = self._bars.add_task(f"  {node}", total=total)
        moved = {"advance": event["advance"]} if "advance" in event else {"completed": event["done"]}
        self._bars.update(self._tasks[node], **moved)

    def _report(self, event: dict[str, Any]) -> None:
        if self.rundir and event["node"] in REPORTING:
            report = next(r for r in self.rundir.reports() if r.cycle == event["cycle"])
            self.console.print(cycle_lines(report), highlight=False)

    def _clear(self) -> None:
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
