"""Correctness in tiers: right, right among other words, nearly the same, wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...answers import as_number, negations, normalise, same
from ...schema import Grade, Problem
from ...seams import Embedder

NEAR: Final = 0.85
"""Cosine from which another wording counts."""
_WORD = re.compile(r"\w+(?:'\w+)?")


@dataclass(frozen=True)
class Tiers:
    """EtCon's correctness in tiers (arXiv 2512.04753, reward code of its second stage, `KE_multi_v2_rewards.py`).

    1: the same text or number, or right by the task's own verifier. 0.75: all words of the gold answer are among the
    answer's. 0.4 to 0.6: the cosine of the two is at least 0.85, 0.4 + (cosine - 0.85) / 0.15 * 0.2. Else 0.

    Beyond EtCon, a negation that the gold answer does not have rules out the third tier too, and of a number there is
    no other wording: 17 is near 18 to any embedder, and wrong.
    """

    embedder: Embedder

    def __call__(self, problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
        """Return the tier's worth."""
        if grade.answer is None or not words_of(grade.answer):
            return 1.0 if grade.score >= 1.0 else 0.0
        if grade.score >= 1.0 or same(grade.answer, problem.answer):
            return 1.0
        if negations(grade.answer) - negations(problem.answer):
            return 0.0
        if among(problem.answer, grade.answer):
            return 0.75
        return 0.0 if as_number(problem.answer) is not None else self._near(grade.answer, problem.answer)

    def _near(self, answer: str, gold: str) -> float:
        one, other = self.embedder.embed([answer, gold])
        cosine = min(1.0, sum(x * y for x, y in zip(one, other, strict=True)))  # the vectors have unit length
        return 0.4 + (cosine - NEAR) / (1.0 - NEAR) * 0.2 if cosine >= NEAR else 0.0


def words_of(text: str) -> frozenset[str]:
    """Return the words of an answer in the form in which two are compared."""
    return frozenset(_WORD.findall(normalise(text).replace("\u2019", "'")))


def among(gold: str, answer: str) -> bool:
    """Whether all words of the gold answer are among the answer's; of a number, whether it is the only one."""
    wanted, said = words_of(gold), words_of(answer)
    if as_number(gold) is None:
        return bool(wanted) and wanted <= said
    numbers = [word.strip(".,;:!?()") for word in answer.split() if any(map(str.isdigit, word))]
    return bool(numbers) and all(same(number, gold) for number in numbers)
