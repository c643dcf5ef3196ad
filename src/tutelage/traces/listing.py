"""A page of a list of problems, as `tutelage trace --json` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InputError
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION
from .choose import Wanted, span
from .problems import ProblemRow


@dataclass(frozen=True)
class Page:
    """Which part of a list is shown."""

    number: int = 1
    size: int = 25

    def of(self, rows: Sequence[ProblemRow]) -> Sequence[ProblemRow]:
        """Return its part of a list.

        Raises:
            InputError: If the list has no such page.
        """
        if self.number > self.count(rows):
            raise InputError(f"--page {self.number}: there are {self.count(rows)}")
        return rows[(self.number - 1) * self.size : self.number * self.size]

    def count(self, rows: Sequence[ProblemRow]) -> int:
        """Return how many pages a list has, at least one."""
        return max(1, -(-len(rows) // self.size))


def listing(rundir: RunDir, wanted: Wanted, rows: Sequence[ProblemRow], page: Page) -> dict[str, Any]:
    """Return a page of chosen problems, with how many there are in all, and how many fell and rose.

    Raises:
        InputError: If there is no such page.
    """
    shown = page.of(rows)
    told: dict[str, Any] = {}
    if wanted.changed is not None:
        before, after = span(rundir, wanted.changed)
        fell = sum(row.moved(before, after) < 0 for row in rows)
        told = {"changed": {"before": before, "after": after, "fell": fell, "rose": len(rows) - fell}}
    return {
        "schema": SCHEMA_VERSION,
        "run": rundir.path.resolve().name,
        "total": len(rows),
        "page": page.number,
        "pages": page.count(rows),
        "cycles": [report.cycle for report in rundir.reports()],
        **told,
        "problems": [asdict(row) for row in shown],
    }
