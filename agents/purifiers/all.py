"""Every rationale is taught: what purification is measured against."""

from __future__ import annotations

from collections.abc import Sequence

from ...schema import Problem, Purified, Rationale


class AllRationales:
    """Takes every verified rationale, each with an equal share of the problem's weight.

    After TinyLLM (arXiv 2402.04616), as the baseline in Knowledge Purification (arXiv 2602.01064): a distillation loss
    for each teacher, L = sum_j lambda_j L_j, here with lambda_j = 1 / teachers.
    """

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return all of them.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        return Purified(rationales=tuple(rationales))
