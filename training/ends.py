"""Where a training began and where it ended: a figure over its first and its last tenth of steps."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple


class Ends(NamedTuple):
    """Means of a figure."""

    first: float
    last: float


def tenth(steps: int) -> int:
    """Return how many steps are the first, or the last, of so many: a tenth, one at least."""
    return max(1, steps // 10)


def ends(values: Sequence[float]) -> Ends:
    """Return the means over the first and the last tenth of a figure by step; there must be one step."""
    some = tenth(len(values))
    return Ends(fmean(values[:some]), fmean(values[-some:]))
