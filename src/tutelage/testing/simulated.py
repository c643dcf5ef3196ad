"""Simulated students: answers drawn from known pass rates, without a model, for testing diagnosis."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..schema import BASE, Attempt, Problem, Split, WrongStep
from ..seams import Diagnostician

RULES: Final = tuple(f"rule {letter}" for letter in "abcdefghij")
"""The skills of a plant."""


@dataclass(frozen=True)
class SimulatedStudent:
    """Applies each skill right with a probability of its own; an answer is right if all it needs are."""

    rates: Mapping[str, float]
    """By skill, the probability of applying it right."""
    guess: float = 0.0
    """How often an answer is right although a step was wrong."""

    def answer(self, problem: Problem, number: int, rng: random.Random, tell: float = 1.0, cycle: int = 1) -> Attempt:
        """Answer a problem, its skills in an order that is drawn.

        Args:
            problem: Tagged with skills of `rates`.
            number: Tells the attempts apart.
            rng: Draws the outcome.
            tell: Share of the wrong answers whose first wrong step is known.
            cycle: Of the attempt.
        """
        order = rng.sample(problem.skills, len(problem.skills))
        failed = next((skill for skill in order if rng.random() >= self.rates[skill]), None)
        right = failed is None or rng.random() < self.guess
        known = rng.random() < tell
        step = None
        if failed is not None and not right and known:
            step = WrongStep(kind="step", start=0, end=0, expected="", found="", skill=failed)
        return Attempt(
            id=f"a{number}",
            problem_id=problem.id,
            split=Split.PROBE,
            cycle=cycle,
            student=BASE,
            text="",
            answer="",
            score=float(right),
            correct=right,
            logprob=0.0,
            tokens=1,
            finish_reason="stop",
            wrong_step=step,
        )


@dataclass(frozen=True)
class Plant:
    """A simulated student with holes: of `RULES` it knows all but one to three."""

    student: SimulatedStudent
    holes: frozenset[str]
    rng: random.Random

    def exam(self, count: int, tell: float, most: int = 3) -> tuple[dict[str, Problem], list[Attempt]]:
        """Return problems that need one to `most` rules each, by id, and the student's answers."""
        problems = [draw_problem(number, list(self.student.rates), self.rng, most) for number in range(count)]
        attempts = [self.student.answer(p, number, self.rng, tell) for number, p in enumerate(problems)]
        return {problem.id: problem for problem in problems}, attempts


def draw_plant(seed: int, guess: float = 0.1, slips: tuple[float, float] = (0.03, 0.1)) -> Plant:
    """Draw a plant: its holes, and how often it slips at each rule that it knows.

    Args:
        seed: The same seed gives the same plant.
        guess: How often an answer is right although a step was wrong; at a hole itself the student is never right.
        slips: The rate of slips at a known rule lies between these.
    """
    rng = random.Random(f"plant {seed}")
    holes = frozenset(rng.sample(RULES, rng.randint(1, 3)))
    rates = {rule: 0.0 if rule in holes else 1 - rng.uniform(*slips) for rule in RULES}
    return Plant(SimulatedStudent(rates, guess), holes, rng)


def draw_problem(number: int, skills: Sequence[str], rng: random.Random, most: int = 3) -> Problem:
    """Draw a problem that needs one to `most` of the skills."""
    needed = tuple(sorted(rng.sample(skills, rng.randint(1, most))))
    return Problem(id=f"p{number}", question=f"question {number}", answer="a", skills=needed)


class HoleScore(NamedTuple):
    """How well holes were named, over several plants."""

    named: int
    """Weaknesses named."""
    right: int
    """Of these, planted holes."""
    holes: int
    """Planted."""

    @property
    def precision(self) -> float:
        """Share of what was named that is a hole; 1 if nothing was named."""
        return self.right / self.named if self.named else 1.0

    @property
    def recall(self) -> float:
        """Share of the holes that were named."""
        return self.right / self.holes


def score_holes(diagnostician: Diagnostician, seeds: Iterable[int], count: int, tell: float) -> HoleScore:
    """Have a diagnostician name the holes of several plants.

    Args:
        diagnostician: Is asked about each plant's answers.
        seeds: Of the plants.
        count: Answers a plant.
        tell: Share of the wrong answers whose first wrong step is known.
    """
    named = right = holes = 0
    for seed in seeds:
        plant = draw_plant(seed)
        found = {weakness.name for weakness in diagnostician.diagnose(*plant.exam(count, tell), ()).weaknesses}
        named, right, holes = named + len(found), right + len(found & plant.holes), holes + len(plant.holes)
    return HoleScore(named, right, holes)


CHAIN: Final = ("count", "add", "multiply", "divide")
"""Skills that build on one another."""


def draw_outcomes(students: int, seed: int, slip: float = 0.05, guess: float = 0.1) -> list[dict[str, tuple[int, int]]]:
    """Draw what students who have come so far along `CHAIN` get right and wrong of ten answers a skill.

    The skill `other` is learnt by itself, by half of them.

    Args:
        students: How many.
        seed: Of the drawing.
        slip: How often a skill that is known goes wrong.
        guess: How often one that is not goes right.
    """
    rng = random.Random(f"chain {seed}")
    rows = []
    for _ in range(students):
        reached = rng.randint(0, len(CHAIN))
        known = {skill: at < reached for at, skill in enumerate(CHAIN)} | {"other": rng.random() < 0.5}
        rates = {skill: 1 - slip if knows else guess for skill, knows in known.items()}
        right = {skill: sum(rng.random() < rate for _ in range(10)) for skill, rate in rates.items()}
        rows.append({skill: (count, 10 - count) for skill, count in right.items()})
    return rows
