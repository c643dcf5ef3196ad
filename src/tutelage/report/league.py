"""Who taught how much, how often it held, and whether it helped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..schema import Rationale
from ..traces.rows import CycleRows
from ..traces.spent import Spent
from .spenders import purifiers, roles_by_name

Right = Mapping[str, Mapping[int, float]]


@dataclass
class TeacherRow:
    """What one teacher did in a run."""

    name: str
    drafts: int = 0
    refinements: int = 0
    verified: int = 0
    """Drafts and refinements that passed their check."""
    lessons: int = 0
    examined: int = 0
    """Lessons for problems that the student had wrong before, and was asked again after."""
    fixed: int = 0
    """Of these, how many it had right."""
    rejected: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    usd: float = 0.0
    shared: bool = False
    """Whether another part of the run has its name in the ledger, so that nobody knows what it spent itself."""


def teacher_rows(
    cycles: Sequence[CycleRows], right: Right, parents: Mapping[int, int], spent: Mapping[str, Spent]
) -> list[TeacherRow]:
    """Return the teachers, those first whose lessons were taught most.

    Args:
        cycles: What each cycle wrote.
        right: The share of right answers to each problem by the student of each cycle.
        parents: Of each cycle that made a student, the cycle of the student that it was made from.
        spent: What each of those who ask models spent.
    """
    table: dict[str, TeacherRow] = defaultdict(lambda: TeacherRow(""))
    for rows in cycles:
        for rationale in (one for some in rows.rationales.values() for one in some):
            _count_rationale(table[rationale.teacher], rationale)
        for lesson in (one for some in rows.lessons.values() for one in some):
            if lesson.origin in table:
                _count_lesson(table[lesson.origin], right.get(lesson.problem_id, {}), rows.cycle, parents)
    roles, own = roles_by_name(cycles), {f"purifier {name}": name for name in purifiers(cycles)}
    for name, row in table.items():
        row.name, agents = name, {name, own.get(name, name)}  # a purifier's texts have another name than its calls
        row.shared = any(len(roles.get(agent, ())) > 1 for agent in agents)
        if not row.shared:
            row.tokens = sum(spent[agent].tokens for agent in agents & spent.keys())
            row.usd = sum(spent[agent].usd for agent in agents & spent.keys())
    return sorted(table.values(), key=lambda row: (-row.lessons, row.name))


def _count_rationale(row: TeacherRow, rationale: Rationale) -> None:
    row.drafts += rationale.revision == 0
    row.refinements += rationale.revision > 0
    row.verified += rationale.verified
    if rationale.rejected:
        row.rejected[rationale.rejected] += 1


def _count_lesson(row: TeacherRow, right: Mapping[int, float], cycle: int, parents: Mapping[int, int]) -> None:
    row.lessons += 1
    before = right.get(parents[cycle]) if cycle in parents else None
    if before == 0 and cycle in right:
        row.examined += 1
        row.fixed += right[cycle] == 1
