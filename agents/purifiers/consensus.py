"""The cheap baseline: what most teachers say, in the words that the student would most likely use itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from ...arithmetic import evaluate
from ...schema import Problem, Purified, Rationale
from .learnability import LEARNABILITY, Candidates, Learnability, learnability_of

_NUMBER = re.compile(r"[-−]?[0-9.,]+(\s*/\s*[0-9.,]+)?")
"""A number or a fraction; a score such as 3-1 is no subtraction."""


def majority(rationales: Sequence[Rationale]) -> Rationale:
    """Return the likeliest rationale among those that end on the most frequent answer; of equal ones the first."""
    votes = Counter(answer_of(one) for one in rationales)
    return max(rationales, key=lambda one: (votes[answer_of(one)], learnability_of(one)))


def all_alike(rationales: Sequence[Rationale]) -> bool:
    """Whether all texts are the same, so that there is nothing to choose or to fuse."""
    return len({one.text.strip() for one in rationales}) == 1


def answer_of(rationale: Rationale) -> Fraction | str:
    """Return a final answer for comparison: a number by its value, however it is written, any other by its letters."""
    text = (rationale.answer or "").strip().casefold()
    value = evaluate(text) if _NUMBER.fullmatch(text) else None
    return text if value is None else value


class ConsensusPurifier(Learnability):
    """Takes a rationale of the majority by final answer; among these the one that is easiest to learn.

    The majority is that of self-consistency (arXiv 2203.11171, section 2), over teachers in place of samples. Where
    all answers were verified against the right one they mostly agree, and learnability decides.
    """

    def score(self, candidates: Candidates) -> Mapping[str, Mapping[str, float]]:
        """Return each rationale's learnability, where there is a choice."""
        return self.learnabilities(candidates)

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        """Return the majority's rationale.

        Args:
            problem: What the rationales solve.
            rationales: One or more, all verified.
        """
        scores = {one.id: one.scores[LEARNABILITY] for one in rationales if LEARNABILITY in one.scores}
        return Purified(rationales=(majority(rationales),), scores=scores)
