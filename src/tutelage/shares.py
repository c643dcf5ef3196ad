"""Shares: what whole numbers they make, and how surely they are known."""

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


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `n` answers (Wilson 1927, by scipy); all of [0, 1] if there are none."""
    from scipy.stats import binomtest

    if not n:
        return 0.0, 1.0
    low, high = binomtest(round(share * n), n).proportion_ci(method="wilson")
    return float(low), float(high)
