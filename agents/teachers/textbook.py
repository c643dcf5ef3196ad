"""The textbook: works arithmetic problems step by step, in three grains, without a model.

An adaptive textbook begins with its own grain; from the second cycle on, a step at which the student has just failed in
this very problem is written one grain finer, and if it is told to, so is every step of a weakness that persists. Or it
listens to all errors that it is told of (`adapt: errors`), and writes finer what they have in common.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

from ...arithmetic import Step, as_text, work
from ...errors import Declined
from ...hashing import content_hash
from ...schema import BASE, TOO_LONG, Problem, StrategyRequest, TeachingRequest
from ...schema.record import Unit
from .grains import Grain, find_expression, finer, other_grain, rule, write_step
from .heard import grain_from_errors

Adapt = Literal["never", "problem", "skill", "errors"]


class TextbookTeacher:
    """Writes worked solutions of arithmetic problems."""

    def __init__(
        self,
        grain: Grain = "place value",
        adapt: Adapt = "problem",
        careless: Unit = 0.0,
        knows: Sequence[str] | None = None,
        name: str = "textbook",
        seed: int = 0,
    ) -> None:
        """Choose a style.

        Args:
            grain: How fine the steps are at first.
            adapt: Which steps are written finer from the second cycle on: none, the one at which the student has just
                failed in this very problem, or also every step of a weakness that persists. The last is a new style for
                whole skills, which a small student may pay for. `errors`: the steps at which the student has come to
                fail as it is taught, by its errors in this problem, elsewhere (history) and before (recalled); what
                helped with such an error is kept. For training from the base in each cycle.
            careless: Share of the solutions in which a step is wrong though the final answer is right.
            knows: Skills of steps, such as `addition with carry`, that it writes right; a step of any other is wrong,
                though the final answer is right. None knows all.
            name: The teacher's name in files and traces.
            seed: Seed of the careless slips.
        """
        self.name = name
        self.grain = grain
        self.adapt = adapt
        self.careless = careless
        self.knows = None if knows is None else frozenset(knows)
        self.seed = seed

    def can_teach(self, problem: Problem) -> bool:
        """Whether the question holds an arithmetic expression."""
        return bool(find_expression(problem.question))

    def teach(self, request: TeachingRequest) -> str:
        """Return the worked solution.

        Raises:
            Declined: If the question holds no arithmetic expression.
        """
        steps = work(find_expression(request.problem.question))
        if not steps:
            raise Declined(f"no arithmetic in {request.problem.question[:80]!r}")
        grain = self._grain(request)
        draw = random.Random(content_hash(self.seed, self.name, request.problem.id, len(request.earlier)))
        slips, lines = draw.random() < self.careless, list[str]()
        for step in steps:
            written = write_step(step, other_grain(grain(step), request.draft))
            known = self.knows is None or step.skill in self.knows
            lines += written if known else _falsified(written, draw)
        lines = _falsified(lines, draw) if slips else lines
        return " ".join([*lines, f"Answer: {as_text(steps[-1].result)}"])

    def strategise(self, request: StrategyRequest) -> str:
        """Return the rule that its own grain goes by; one that failed is followed by that of the next finer one."""
        grain = self.grain
        for _ in request.failed:
            grain = finer(grain)
        return f"For {request.weakness.name}: {rule(request.weakness.name, grain)}"

    def _grain(self, request: TeachingRequest) -> Callable[[Step], Grain]:
        """Return how fine each step is written."""
        if self.adapt == "errors":
            return grain_from_errors(request, self.grain)
        failing = self._failing(request)
        return lambda step: finer(self.grain) if step.skill in failing else self.grain

    def _failing(self, request: TeachingRequest) -> set[str]:
        """Return the skills that are written one grain finer; none if that has just been too long for the student."""
        if self.adapt == "never" or request.cycle < 2 or (request.earlier and request.earlier[-1].rejected == TOO_LONG):
            return set()
        last = request.attempts[0].wrong_step if request.attempts else None
        own = {last.skill} if last and last.skill and request.attempts[0].student != BASE else set()
        return own | set(request.persistent if self.adapt == "skill" else ())


def _falsified(lines: Sequence[str], draw: random.Random) -> list[str]:
    """Return lines of which one, that is drawn, has a wrong result."""
    chosen = draw.randrange(len(lines))
    left, _, result = lines[chosen].rstrip(".").rpartition("= ")
    wrong = int(Fraction(result)) + draw.choice([-10, -1, 1, 10])
    return [*lines[:chosen], f"{left}= {wrong}.", *lines[chosen + 1 :]]
