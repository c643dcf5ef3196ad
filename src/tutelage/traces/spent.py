"""What the model calls of a run took: by who asked, by cycle, and all together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RunFileError
from ..ledgerfile import UseSum, sum_uses
from ..rundir import RunDir
from ..schema import Cost, CycleReport


@dataclass
class Spent:
    """Calls that were paid for, those answered from the ledger left out."""

    calls: int = 0
    tokens: int = 0
    """Read and written."""
    usd: float = 0.0


@dataclass(frozen=True)
class Spending:
    """What a run's ledger says at one moment."""

    sums: tuple[UseSum, ...]
    note: str | None = None
    """Why nothing can be read: the ledger is damaged."""

    def by_agent(self) -> dict[str, Spent]:
        """Return what each of those who ask models spent."""
        found: dict[str, Spent] = defaultdict(Spent)
        for one in self.sums:
            if not one.cached:
                row = found[one.agent]
                row.calls, row.usd = row.calls + one.calls, row.usd + one.usd
                row.tokens += one.tokens_in + one.tokens_out
        return found

    def by_cycle(self, reports: Sequence[CycleReport]) -> dict[int, Cost]:
        """Return what the calls of each cycle cost, those of cycles without a report included.

        A report counts where it knows of more calls than the ledger does, which then was lost or begun anew.
        """
        found, of_cycle = {report.cycle: report.cost for report in reports}, defaultdict(list)
        for one in self.sums:
            of_cycle[one.cycle].append(one)
        for cycle, some in of_cycle.items():
            cost = _cost(some)
            if cycle not in found or cost.calls >= found[cycle].calls:
                found[cycle] = cost
        return dict(sorted(found.items()))

    def so_far(self, reports: Sequence[CycleReport]) -> dict[str, Any]:
        """Return what all of a run's calls cost, and in `note` why that may be too little."""
        costs = [one.model_dump(mode="json") for one in self.by_cycle(reports).values()]
        return {**{name: sum(cost[name] for cost in costs) for name in Cost.model_fields}, "note": self.note}


def read_spending(rundir: RunDir) -> Spending:
    """Read what a run has spent; without a ledger it is nothing."""
    try:
        return Spending(tuple(sum_uses(rundir.calls)))
    except RunFileError as error:
        return Spending((), str(error))


def _cost(sums: Iterable[UseSum]) -> Cost:
    paid, cached = ([one for one in sums if one.cached == wanted] for wanted in (False, True))
    return Cost(
        calls=sum(one.calls for one in paid),
        cached_calls=sum(one.calls for one in cached),
        tokens_in=sum(one.tokens_in for one in paid),
        tokens_out=sum(one.tokens_out for one in paid),
        usd=sum(one.usd for one in paid),
    )
