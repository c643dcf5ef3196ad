"""Teachers that are each right on two of eight kinds of question: what routers are tested with."""

from __future__ import annotations

import random

from ..agents.purifiers.learnability import LEARNABILITY
from ..schema import Evidence, Problem

TEACHERS = ("a", "b", "c", "d")
SKILLS: dict[str, tuple[str, str]] = {
    "sum": ("a", "What is {} + {}?"),
    "difference": ("b", "What is {} - {}?"),
    "product": ("c", "Multiply {} by {}."),
    "divisor": ("d", "Find the greatest common divisor of {} and {}."),
    "story": ("a", "Ann has {} apples and buys {} more. How many has she now?"),
    "money": ("b", "A ticket costs {} cents. Tom pays with {} cents. What does he get back?"),
    "legs": ("c", "How many legs do {} dogs and {} birds have?"),
    "order": ("d", "Sort these numbers: {}, {}, 3."),
}
"""Which teacher alone is right, and how it is asked."""


def problem(rng: random.Random, number: int) -> Problem:
    """Draw a problem; the skills take turns."""
    skill = list(SKILLS)[number % len(SKILLS)]
    question = SKILLS[skill][1].format(rng.randint(2, 99), rng.randint(2, 99))
    return Problem(id=f"p{number}", question=question, answer="1", skills=(skill,))


def right_teacher(one: Problem) -> str:
    """Return the one teacher that is right on a problem."""
    return SKILLS[one.skills[0]][0]


def evidence(count: int, seed: int = 0, teachers: tuple[str, ...] = TEACHERS) -> list[Evidence]:
    """Label every teacher on so many problems."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        asked = problem(rng, number)
        for teacher in teachers:
            sound = right_teacher(asked) == teacher
            found.append(
                Evidence(problem=asked, teacher=teacher, text="x", verified=sound, scores={LEARNABILITY: -0.5})
            )
    return found


def held_out(count: int) -> list[Problem]:
    """Return problems that `evidence` does not have."""
    rng = random.Random(99)
    return [problem(rng, 10_000 + number) for number in range(count)]
