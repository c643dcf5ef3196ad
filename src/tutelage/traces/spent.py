"""What the model calls of a run took: by who asked, by cycle, and all together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RunFileError
from ..ledgerfile import Use, read_uses
from ..rundir import RunDir
from ..schema import Cost, CycleReport


@dataclass
class Spent:
    """Calls that were paid for, those answered from the ledger left out."""

    calls: int = 0
    tokens: int = 0
    """Read and written."""
    usd: float = 0.0


def spent_by_agent(rundir: RunDir) -> dict[str, Spent]:
    """Return what each of those who ask models spent; empty where there is no ledger.

    Raises:
        RunFileError: If the ledger is damaged.
    """
    found: dict[str, Spent] = defaultdict(Spent)
    for use in read_uses(rundir.calls):
        if not use.cached:
            row = found[use.agent]
            row.calls, row.tokens, row.usd = (
                row.calls + 1,
                row.tokens + use.tokens_in + use.tokens_out,
                row.usd + use.usd,
            )
    return found


def cost_by_cycle(rundir: RunDir, reports: Sequence[CycleReport]) -> dict[int, Cost]:
    """Return what the calls of each cycle cost, those of cycles without a report included.

    A report counts where it knows of more calls than the ledger does, which then was lost or begun anew.

    Raises:
        RunFileError: If the ledger is damaged.
    """
    return _by_cycle(read_uses(rundir.calls), reports)


def cost_so_far(rundir: RunDir, reports: Sequence[CycleReport]) -> dict[str, Any]:
    """Return what all of a run's calls cost, and in `note` why that may be too little: the ledger cannot be read."""
    try:
        uses, note = read_uses(rundir.calls), None
    except RunFileError as error:
        uses, note = [], str(error)
    costs = [one.model_dump(mode="json") for one in _by_cycle(uses, reports).values()]
    return {**{name: sum(cost[name] for cost in costs) for name in Cost.model_fields}, "note": note}


def _by_cycle(uses: Sequence[Use], reports: Sequence[CycleReport]) -> dict[int, Cost]:
    found, by_cycle = {report.cycle: report.cost for report in reports}, defaultdict(list)
    for use in uses:
        by_cycle[use.cycle].append(use)
    for cycle, some in by_cycle.items():
        cost = _cost(some)
        if cycle not in found or cost.calls >= found[cycle].calls:
            found[cycle] = cost
    return dict(sorted(found.items()))


def _cost(uses: Sequence[Use]) -> Cost:
    paid = [use for use in uses if not use.cached]
    return Cost(
        calls=len(paid),
        cached_calls=len(uses) - len(paid),
        tokens_in=sum(use.tokens_in for use in paid),
        tokens_out=sum(use.tokens_out for use in paid),
        usd=sum(use.usd for use in paid),
    )
