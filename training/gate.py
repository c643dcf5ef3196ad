"""The gate: is the new checkpoint kept, or rolled back because it does harm?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..config import GateConfig
from ..schema import Verdict


class PairedTest(NamedTuple):
    """Two exams of the same problems, compared."""

    gained: int
    """Problems that were wrong before and are right now."""
    lost: int
    """Problems that were right before and are wrong now."""
    p_harm: float
    """Chance of so many losses among the changes if losses and gains were equally likely."""


class Decision(NamedTuple):
    """What becomes of a checkpoint, and why."""

    verdict: Verdict
    why: str


def paired_test(before: Sequence[bool], after: Sequence[bool]) -> PairedTest:
    """Compare two exams by a one-sided exact sign test on the problems whose result changed.

    Under the null hypothesis the number of losses is Binomial(gained + lost, 1/2): McNemar's test in its exact form
    (McNemar 1947), which needs no approximation for the few changes that a cycle makes.

    Args:
        before: Whether each problem was right, in any order.
        after: The same problems in the same order.

    Raises:
        ValueError: If the lengths differ.
    """
    from scipy.stats import binomtest

    gained = sum(now and not then for then, now in zip(before, after, strict=True))
    lost = sum(then and not now for then, now in zip(before, after, strict=True))
    if gained + lost == 0:
        return PairedTest(0, 0, 1.0)
    return PairedTest(gained, lost, float(binomtest(lost, gained + lost, 0.5, alternative="greater").pvalue))


def decide(
    best_gate: Sequence[bool], candidate_gate: Sequence[bool], retention: Sequence[bool] | None, config: GateConfig
) -> Decision:
    """Accept a candidate unless it harms the gate split or what the base student could do.

    Args:
        best_gate: Whether the best checkpoint was right, by gate problem.
        candidate_gate: The candidate, by the same problems.
        retention: Whether the candidate is right, by problems that the base student surely answers right; None if
            there are none. Harm is a loss that a true fall of `max_retention_drop` would seldom bring about (one-sided
            exact binomial test at `alpha`): of 55 problems 2 may be lost, 3 may not.
        config: The limits.

    Raises:
        ValueError: If the gate results differ in length.
    """
    test = paired_test(best_gate, candidate_gate)
    figures = (
        f"gate {_mean(best_gate)} -> {_mean(candidate_gate)} (+{test.gained} -{test.lost}, p of harm {test.p_harm:.2g})"
    )
    if retention:
        figures += (
            f"; retention 1.00 -> {_mean(retention)} ({len(retention) - sum(retention)} of {len(retention)} lost)"
        )
    harms = []
    if test.p_harm < config.alpha and test.lost > test.gained:
        harms.append(f"gate fell (p < {config.alpha:g})")
    if retention and p_forgotten(retention, config.max_retention_drop) < config.alpha:
        harms.append(f"retention fell by more than {config.max_retention_drop:g}")
    if harms:
        return Decision(Verdict.ROLLED_BACK, f"{' and '.join(harms)}: {figures}")
    return Decision(Verdict.ACCEPTED, figures)


def p_forgotten(retention: Sequence[bool], tolerated: float) -> float:
    """Return the chance of so many losses if each problem were lost with the tolerated probability (exact binomial)."""
    from scipy.stats import binomtest

    lost = len(retention) - sum(retention)
    return float(binomtest(lost, len(retention), tolerated, alternative="greater").pvalue)


def _mean(results: Sequence[bool]) -> str:
    return f"{sum(results) / len(results):.2f}" if results else "-"
