"""The textbook: works arithmetic problems step by step, without a model.

It has three grains. `direct` writes one equation an operation. `place value` adds or subtracts the tens and then the
units. `fine` also goes through the next ten, and turns an operation below zero round.
An adaptive textbook begins with its own grain; from the second cycle on, a step at which the student has just failed in
this very problem is written one grain finer, and if it is told to, so is every step of a weakness that persists.
"""

from __future__ import annotations

import random
import re
from fractions import Fraction
from typing import Literal, get_args

from ...arithmetic import Step, as_text, work
from ...errors import Declined
from ...hashing import content_hash
from ...schema import BASE, TOO_LONG, Problem, TeachingRequest
from ...schema.record import Unit

Grain = Literal["direct", "place value", "fine"]
Adapt = Literal["never", "problem", "skill"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
NEGATIVE = frozenset({"subtraction below zero", "from a negative number"})
"""Skills whose operations are easier turned round."""

_EXPRESSION = re.compile(r"[-\d(][-+*/×÷\d().,\s]{1,400}")


class TextbookTeacher:
    """Writes worked solutions of arithmetic problems."""

    def __init__(
        self,
        grain: Grain = "place value",
        adapt: Adapt = "problem",
        careless: Unit = 0.0,
        name: str = "textbook",
        seed: int = 0,
    ) -> None:
        """Choose a style.

        Args:
            grain: How fine the steps are at first.
            adapt: Which steps are written finer from the second cycle on: none, the one at which the student has just
                failed in this very problem, or also every step of a weakness that persists. The last is a new style for
                whole skills, which a small student may pay for.
            careless: Share of the solutions in which a step is wrong though the final answer is right.
            name: The teacher's name in files and traces.
            seed: Seed of the careless slips.
        """
        self.name = name
        self.grain = grain
        self.adapt = adapt
        self.careless = careless
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
        finer = self._finer(request)
        lines = [line for step in steps for line in write_step(step, self._grain(step, finer, request.draft))]
        lines = self._slip(lines, request)
        return " ".join([*lines, f"Answer: {as_text(steps[-1].result)}"])

    def _finer(self, request: TeachingRequest) -> set[str]:
        """Return the skills that are written one grain finer; none if that has just been too long for the student."""
        if self.adapt == "never" or request.cycle < 2 or (request.earlier and request.earlier[-1].rejected == TOO_LONG):
            return set()
        last = request.attempts[0].wrong_step if request.attempts else None
        own = {last.skill} if last and last.skill and request.attempts[0].student != BASE else set()
        return own | set(request.persistent if self.adapt == "skill" else ())

    def _grain(self, step: Step, finer: set[str], draft: int) -> Grain:
        """Return the grain of a step; drafts after the first go through the other grains in turn."""
        level = min(GRAINS.index(self.grain) + (step.skill in finer), len(GRAINS) - 1)
        return GRAINS[(level + draft) % len(GRAINS)]

    def _slip(self, lines: list[str], request: TeachingRequest) -> list[str]:
        """Falsify the result of one step, in a fixed share of the problems and revisions."""
        draw = random.Random(content_hash(self.seed, self.name, request.problem.id, len(request.earlier)))
        if draw.random() >= self.careless:
            return lines
        chosen = draw.randrange(len(lines))
        left, _, result = lines[chosen].rstrip(".").rpartition("= ")
        wrong = int(Fraction(result)) + draw.choice([-10, -1, 1, 10])
        return [*lines[:chosen], f"{left}= {wrong}.", *lines[chosen + 1 :]]


def find_expression(question: str) -> str:
    """Return the longest arithmetic expression in a question; an empty string if there is none."""
    found = [match.group().strip(" .,+*/×÷").rstrip("-(") for match in _EXPRESSION.finditer(question)]
    return max((text for text in found if work(text)), key=len, default="")


def write_step(step: Step, grain: Grain) -> list[str]:
    """Write one operation as equations, each a sentence."""
    whole = all(number.denominator == 1 for number in (step.left, step.right))
    if grain == "direct" or step.op not in "+-" or not whole or step.right < 0:
        return [_equation(step.left, step.op, step.right)]
    if grain == "fine" and step.skill in NEGATIVE:
        return _turn_round(step)
    return _by_place(int(step.left), step.op, int(step.right), fine=grain == "fine")


def _by_place(left: int, op: str, right: int, *, fine: bool) -> list[str]:
    """Take the places of the right operand one by one, the highest first; `fine` goes through the next ten."""
    sign = 1 if op == "+" else -1
    lines, at = [], left
    for part in _places(right):
        for piece in _through_ten(at, sign, part) if fine else [part]:
            lines.append(_equation(Fraction(at), op, Fraction(piece)))
            at += sign * piece
    return lines


def _places(number: int) -> list[int]:
    digits = str(number)
    parts = [int(digit) * 10 ** (len(digits) - place - 1) for place, digit in enumerate(digits)]
    return [part for part in parts if part] or [0]


def _through_ten(at: int, sign: int, part: int) -> list[int]:
    """Cut units in two where they cross a ten."""
    room = 10 - at % 10 if sign > 0 else at % 10
    crosses = at > 0 and part < 10 and 0 < room < part
    return [room, part - room] if crosses else [part]


def _turn_round(step: Step) -> list[str]:
    """Work with positive numbers first, by place, then put the sign: 51 - 26 = 25, so 26 - 51 = -25."""
    left, right = abs(int(step.left)), int(step.right)
    last = _equation(step.left, step.op, step.right)
    away = step.left < 0 and step.op == "-"
    bigger, smaller = (left, right) if away else (max(left, right), min(left, right))
    op = "+" if away else "-"
    return [*_by_place(bigger, op, smaller, fine=False), last]


def _equation(left: Fraction, op: str, right: Fraction) -> str:
    result = work(f"({as_text(left)}) {op} ({as_text(right)})")[-1].result
    return f"{as_text(left)} {op} {as_text(right)} = {as_text(result)}."
