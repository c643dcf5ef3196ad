"""Who asked models, and what that cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..traces.rows import CycleRows
from ..traces.spent import Spent

_AGENTS = ("critic", "diagnostician")
"""The ledger's names of those who have one name in every run."""


@dataclass(frozen=True)
class SpenderRow:
    """What one name in the ledger paid for."""

    name: str
    roles: tuple[str, ...]
    """Who calls by it; several if a teacher has the name of another part, whose calls cannot be told from its own."""
    calls: int
    tokens: int
    usd: float


def spender_rows(cycles: Sequence[CycleRows], spent: Mapping[str, Spent]) -> list[SpenderRow]:
    """Return all who paid for a call, those first who paid most."""
    roles = roles_by_name(cycles)
    rows = [SpenderRow(name, roles.get(name, ()), one.calls, one.tokens, one.usd) for name, one in spent.items()]
    return sorted(rows, key=lambda row: (-row.usd, -row.tokens, row.name))


def roles_by_name(cycles: Sequence[CycleRows]) -> dict[str, tuple[str, ...]]:
    """Return by each name in the ledger who may call by it."""
    found: dict[str, set[str]] = defaultdict(set)
    for rows in cycles:
        for name in _asked(rows):
            found[name].add("teacher")
        for name in purifiers([rows]):
            found[name].add("purifier")
    for name in _AGENTS:
        found[name].add(name)
    return {name: tuple(sorted(some, reverse=True)) for name, some in found.items()}


def purifiers(cycles: Sequence[CycleRows]) -> dict[str, None]:
    """Return the names of the purifiers that decided anything, in that order."""
    return dict.fromkeys(one.purifier for rows in cycles for some in rows.decisions.values() for one in some)


def _asked(rows: CycleRows) -> set[str]:
    """Return the teachers that a cycle's plan names."""
    return {name for some in rows.assignments.values() for one in some for name in one.teachers}
