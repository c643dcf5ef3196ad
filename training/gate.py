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
    best_gate: Sequence[bool], candidate_gate: Sequence[bool], retention: float | None, config: GateConfig
) -> Decision:
    """Accept a candidate unless it harms the gate split or what the base student could do.

    Args:
        best_gate: Whether the best checkpoint was right, by gate problem.
        candidate_gate: The candidate, by the same problems.
        retention: The candidate's accuracy on problems that the base student answers right; None if not examined.
        config: The limits.

    Raises:
        ValueError: If the gate results differ in length.
    """
    test = paired_test(best_gate, candidate_gate)
    figures = f"gate {_mean(best_gate)} -> {_mean(candidate_gate)} (+{test.gained} -{test.lost}, p {test.p_harm:.2g})"
    if retention is not None:
        figures += f"; retention 1.00 -> {retention:.2f}"
    harms = []
    if test.p_harm < config.alpha and test.lost > test.gained:
        harms.append(f"gate fell (p < {config.alpha:g})")
    # the small allowance keeps 1 - 0.98 from counting as more than 0.02
    if retention is not None and 1.0 - retention > config.max_retention_drop + 1e-9:
        harms.append(f"retention fell by more than {config.max_retention_drop:g}")
    if harms:
        return Decision(Verdict.ROLLED_BACK, f"{' and '.join(harms)}: {figures}")
    return Decision(Verdict.ACCEPTED, figures)


def _mean(results: Sequence[bool]) -> str:
    return f"{sum(results) / len(results):.2f}" if results else "-"
