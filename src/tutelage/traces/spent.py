"""What the model calls of a run took, by who asked."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ..ledgerfile import check_ledger
from ..rundir import RunDir


@dataclass(frozen=True)
class Spent:
    """Calls that were paid for, those answered from the ledger left out."""

    calls: int
    tokens: int
    """Read and written."""
    usd: float


_BY_AGENT = """
SELECT uses.agent, count(*), sum(calls.tokens_in + calls.tokens_out), sum(calls.usd)
FROM uses JOIN calls USING (key) WHERE NOT uses.cached GROUP BY uses.agent
"""


def spent_by_agent(rundir: RunDir) -> dict[str, Spent]:
    """Return what each of those who ask models spent; empty where there is no ledger.

    Raises:
        sqlite3.Error: If the ledger is damaged.
    """
    if not rundir.calls.exists():
        return {}
    check_ledger(rundir.calls)
    connection = sqlite3.connect(f"{rundir.calls.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return {agent: Spent(calls, tokens, usd) for agent, calls, tokens, usd in connection.execute(_BY_AGENT)}
    finally:
        connection.close()
