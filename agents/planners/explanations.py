"""What explaining a kind of problem has taken so far, and how often the student was right afterwards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from ...schema import Problem
from ...seams import Outcome, PlanningRequest
from .learner_model import LearnerModel

TOKENS: Final = 100
"""Expected of an explanation before the first was written."""
PRIOR: Final = 2.0
"""Outcomes that the belief with which a kind of problem begins is worth."""
OWN: Final = 3
"""Outcomes of like problems that one of the problem itself is worth: what was explained in vain is, next time, too."""


@dataclass
class Tally:
    """A count of explanations."""

    written: int = 0
    tokens: int = 0
    examined: int = 0
    """After which the student was examined."""
    right: int = 0
    """Of these, after how many it was right."""

    def merge(self, other: Tally) -> None:
        """Add another's counts."""
        self.written += other.written
        self.tokens += other.tokens
        self.examined += other.examined
        self.right += other.right

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.written += 1
        self.tokens += outcome.tokens
        if outcome.right is not None:
            self.examined += 1
            self.right += outcome.right


class Explanations:
    """Tallies by kind of problem. A problem's kind is its weakest skill, of which alone something is known."""

    def __init__(self, request: PlanningRequest, model: LearnerModel, tokens: float = TOKENS) -> None:
        """Count what became of explanations of problems in the pool.

        Args:
            request: Gives the outcomes.
            model: Gives the kinds.
            tokens: Expected of an explanation before the first was written.
        """
        self._model = model
        self._by_kind: defaultdict[str | None, Tally] = defaultdict(Tally)
        self._by_problem: defaultdict[str, Tally] = defaultdict(Tally)
        every = Tally()
        for outcome in request.outcomes:
            self._by_problem[outcome.problem_id].add(outcome)
        for problem_id, tally in self._by_problem.items():
            every.merge(tally)
            problem = model.by_id.get(problem_id)
            if problem is not None:
                self._by_kind[model.weakest(problem)].merge(tally)
        self._usual = _mean_tokens(every, tokens)

    def tokens(self, problem: Problem) -> float:
        """Return how many tokens of the student teachers are expected to write for a problem."""
        return _mean_tokens(self._by_kind.get(self._model.weakest(problem)), self._usual)

    def chance_explained(self, problem: Problem, alone: float) -> float:
        """Return p(right | explained), with what the problem's own explanations came to counted `OWN` times.

        Args:
            problem: In the pool.
            alone: p(right | not explained).
        """
        kind = self._by_kind.get(self._model.weakest(problem), Tally())
        own = self._by_problem.get(problem.id, Tally())
        right, examined = kind.right + (OWN - 1) * own.right, kind.examined + (OWN - 1) * own.examined
        return chance_explained(right, examined, alone)


def chance_explained(right: int, examined: int, alone: float) -> float:
    """Return p(right | explained): the mean of a Beta posterior.

    The prior is that an explanation gains half of what is missing: (k + PRIOR (1 + p) / 2) / (n + PRIOR).

    Args:
        right: k, after how many explanations of like problems the student was right.
        examined: n, after how many it was examined.
        alone: p(right | not explained).
    """
    return (right + PRIOR * (1 + alone) / 2) / (examined + PRIOR)


def _mean_tokens(tally: Tally | None, otherwise: float) -> float:
    return max(1.0, tally.tokens / tally.written) if tally and tally.written else otherwise
