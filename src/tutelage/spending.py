"""What model calls take: counted in calls and tokens, and what that costs. For estimates, before anything is paid."""

from __future__ import annotations

from typing import NamedTuple


class Spending(NamedTuple):
    """So many calls and tokens."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def times(self, count: float) -> Spending:
        """Return what so many of these take."""
        return Spending(*(round(count * value) for value in self))

    def plus(self, other: Spending) -> Spending:
        """Return what both take together."""
        return Spending(*(mine + its for mine, its in zip(self, other, strict=True)))


class Estimate(NamedTuple):
    """What asking a plug-in once takes."""

    likely: Spending
    most: Spending
    """Retries of calls that fail are not in it: nobody can tell whether a provider charges for those."""
