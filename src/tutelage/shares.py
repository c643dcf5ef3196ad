"""Whole numbers from shares."""

from __future__ import annotations

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Divide `total` by weight into whole numbers (the largest remainder method of Hamilton).

    Args:
        total: What is divided, 0 or more.
        weights: None negative, their sum positive. Of equal remainders the first is rounded up.
    """
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(part) for part in exact]
    by_rest = sorted(range(len(exact)), key=lambda at: shares[at] - exact[at])
    for at in by_rest[: total - sum(shares)]:
        shares[at] += 1
    return shares
