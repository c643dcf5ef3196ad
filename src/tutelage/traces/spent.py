"""What the model calls of a run took, by who asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..ledgerfile import read_uses
from ..rundir import RunDir


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
