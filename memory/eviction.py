"""What a full memory forgets first: what never helped before what did, the redundant before the single, the oldest."""

from __future__ import annotations

import re

from .journal import ErrorEntry, ErrorJournal

SLACK = 20
"""A full memory is brought down by one part in so many more, so that it is not sifted at every error."""


def to_evict(journal: ErrorJournal, capacity: int) -> list[str]:
    """Return the ids that must go for the journal to have room; none while it is not over its capacity.

    In this order: not fixed and redundant, not fixed, fixed and redundant, fixed, and last those of the latest cycle,
    which have not had their chance; within each the oldest first. An error is fixed if an explanation taught for it
    was followed by a right answer. It is redundant if a newer error of the same task and weakness reads the same but
    for its numbers. The same journal gives the same ids.
    """
    excess = len(journal.errors) - capacity
    if excess <= 0:
        return []
    newest = {_reading(entry): entry.id for entry in journal.errors.values()}

    latest: dict[str, int] = {}
    for entry in journal.errors.values():
        latest[entry.task] = max(entry.cycle, latest.get(entry.task, 0))

    def worth(entry: ErrorEntry) -> tuple[bool, bool, bool]:
        outcomes = journal.outcomes(entry.id)
        pending = not outcomes and entry.cycle == latest[entry.task]
        return pending, any(outcome.fixed for outcome in outcomes), newest[_reading(entry)] == entry.id

    going = sorted(journal.errors.values(), key=worth)  # stable: the oldest first
    return [entry.id for entry in going[: excess + capacity // SLACK]]


def _reading(entry: ErrorEntry) -> tuple[str, str | None, str, str]:
    return entry.task, entry.weakness, _masked(entry.question), _masked(entry.attempt)


def _masked(text: str) -> str:
    return " ".join(re.sub(r"\d+(?:[.,]\d+)*", "#", text.lower()).split())
