"""The alarm for teacher hacking: a student that comes to say what its teachers say, and goes away from what is right.

Teacher hacking (Tiapkin et al. 2025, arXiv 2502.02671): on a fixed set of a teacher's texts the student keeps coming
nearer to the teacher while it moves away from the oracle that the teacher only stands for. So accuracy against gold and
agreement with the teacher are measured apart, on the same problems.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .gate import paired_test


class Exam(NamedTuple):
    """One student's answers to some problems, each compared with two others."""

    agrees: Sequence[bool]
    """Whether it is the teacher's, by problem."""
    right: Sequence[bool]
    """Whether it is the gold one, by the same problems."""


def teacher_hacking(before: Exam, after: Exam, alpha: float) -> str | None:
    """Say that a student has come to agree with its teachers at the cost of what is right; None if it has not.

    Both must be more than chance: by a one-sided exact sign test on the problems whose mark changed (McNemar 1947)
    agreement rose, and by another accuracy fell, each at `alpha`. As both are required, the chance of a false alarm is
    at most `alpha` whenever either did not happen (intersection-union test, Berger 1982).

    Args:
        before: The student that the training began with.
        after: The student that came out, on the same problems in the same order.
        alpha: Level of each test.

    Raises:
        ValueError: If the lengths differ.
    """
    rose = paired_test(after.agrees, before.agrees)  # a gain is a loss the other way round
    fell = paired_test(before.right, after.right)
    if rose.p_harm >= alpha or fell.p_harm >= alpha:
        return None
    return (
        f"teacher hacking: agreement with the teachers rose {_shares(before.agrees, after.agrees)} "
        f"(p {rose.p_harm:.2g}) while accuracy against gold fell {_shares(before.right, after.right)} "
        f"(p {fell.p_harm:.2g}) on {len(after.right)} problems; look at what they teach"
    )


def _shares(before: Sequence[bool], after: Sequence[bool]) -> str:
    return f"{sum(before) / len(before):.2f} -> {sum(after) / len(after):.2f}"
