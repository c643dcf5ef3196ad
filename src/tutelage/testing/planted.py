"""Tiny students that can do each kind of step in one way only, which nobody can tell without listening to them.

A planted student works chains of one-digit terms step by step. Of each skill in `PLANTED` it knows one grain of the
textbook: some it does at once (17 + 8 = 25), others only in finer steps (17 + 3 = 20. 20 + 5 = 25.), and the other way
it has never seen. Like the tiny student it has never said `Answer:`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

from ..agents.teachers.grains import Grain, write_step
from ..arithmetic import Step, skill_of
from ..checkpoints import quiet
from ..tiny import CLOSINGS, END, START, Text, make_model, make_tokenizer, pretrain, random_words, reproducible

PLANTED: Final = ("addition with carry", "subtraction with borrow", "subtraction below zero")
"""The skills of which a student knows one way; of the others it knows the direct one."""
STEPS, BATCH, RATE = 700, 32, 4e-3

Ways = Mapping[str, Grain]
"""The grain in which a student knows a skill; `direct` where none is named."""


def draw_ways(seed: int) -> dict[str, Grain]:
    """Return which way a student knows of each planted skill: never the same of all; six students, then again."""
    grains: tuple[Grain, ...] = ("direct", "fine")
    mixed = [ways for ways in itertools.product(grains, repeat=len(PLANTED)) if len(set(ways)) > 1]
    return dict(zip(PLANTED, mixed[seed % len(mixed)], strict=True))


def build_planted_student(folder: Path, seed: int = 0, ways: Ways | None = None) -> Path:
    """Write a planted student to a folder in the format of Hugging Face, after about a minute of pretraining.

    Args:
        folder: Made if it does not exist.
        seed: Seed of the weights and texts.
        ways: What it knows; drawn from the seed if left out.
    """
    known = draw_ways(seed) if ways is None else ways
    with reproducible(seed):
        tokenizer = make_tokenizer()
        model = make_model(tokenizer)
        rng = random.Random(seed)
        pretrain(model, tokenizer, ([_asked(rng, known) for _ in range(BATCH)] for _ in range(STEPS)), STEPS, RATE)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def say(left: int, op: str, right: int, ways: Ways) -> tuple[list[str], int]:
    """Return an operation in the way that is known, as equations, and its result."""
    result = left + right if op == "+" else left - right
    numbers = Fraction(left), Fraction(right)
    step = Step(numbers[0], op, numbers[1], Fraction(result), skill_of(numbers[0], op, numbers[1]))
    return write_step(step, ways.get(step.skill, "direct")), result


def _asked(rng: random.Random, ways: Ways) -> Text:
    """Return a question in any words that ends in a chain, and its answer, the result repeated after a closing word."""
    at = rng.randrange(10) if rng.random() < 0.7 else _reached(rng)
    question, lines = [str(at)], list[str]()
    for _ in range(rng.randint(1, 3)):
        op, right = rng.choice("+-"), rng.randrange(10)
        question.append(f"{op} {right}")
        equations, at = say(at, op, right, ways)
        lines += equations
    system = f"{START}s{random_words(rng, rng.randint(2, 6))}{END}" if rng.random() < 0.2 else ""
    asked = f"{system}{START}u{random_words(rng, rng.randint(1, 9))}: {' '.join(question)} ={END}{START}a"
    return [(asked, False), (f"{' '.join(lines)} {rng.choice(CLOSINGS)}: {at}{END}", True)]


def _reached(rng: random.Random) -> int:
    """Return a number that a chain may have reached."""
    return rng.randrange(10) + sum(rng.choice((-1, 1)) * rng.randrange(10) for _ in range(rng.randrange(3)))
