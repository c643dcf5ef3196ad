"""Tiny students that can do each kind of step in one way only, which nobody can tell without listening to them.

A planted student works chains of one-digit terms step by step. Of each skill in `PLANTED` it knows one grain of the
textbook: one it does at once (17 + 8 = 25), the other only in finer steps (17 - 7 = 10. 10 - 1 = 9.), and the other way
it has never seen. It is in the habit of ending its answers with `What:`, but knows `Answer:` too, so that little
training makes its answers count.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

from ..agents.teachers.grains import Grain, write_step
from ..arithmetic import Step, skill_of
from ..checkpoints import quiet
from ..tiny import CLOSINGS, END, START, Text, make_model, make_tokenizer, pretrain, random_words, reproducible

PLANTED: Final = ("addition with carry", "subtraction with borrow")
"""The skills of which a student knows one way; of the others it knows the direct one."""
HABIT: Final = "What"
"""What it says most often before it repeats the result; `Answer` comes second."""
GAPS: Final = "   \n"
"""What may stand before the ending: most often it goes on in the line, sometimes it begins a new one."""
STEPS, BATCH, RATE = 2200, 32, 4e-3

Draw = Callable[[random.Random], str]
Ways = Mapping[str, Grain]
"""The grain in which a student knows a skill; `direct` where none is named."""


def draw_ways(seed: int) -> dict[str, Grain]:
    """Return which way a student knows of each planted skill: one at once and the other finely, by turns."""
    grains: tuple[Grain, ...] = ("direct", "fine")
    return dict(zip(PLANTED, grains if seed % 2 == 0 else grains[::-1], strict=True))


def build_planted_student(
    folder: Path,
    seed: int = 0,
    ways: Sequence[Ways] | None = None,
    held_out: Collection[str] = (),
    chain: Draw | None = None,
    words: Draw | None = None,
    steps: int | None = None,
    ending: Draw | None = None,
) -> Path:
    """Write a planted student to a folder in the format of Hugging Face, after some minutes of pretraining.

    Args:
        folder: Made if it does not exist.
        seed: Seed of the weights and texts.
        ways: What it knows: each text goes by one of these, which is drawn. One drawn from the seed if left out.
        held_out: Chains such as `3 + 4 - 1` that it is never pretrained on.
        chain: Draws a chain; 2 to 4 one-digit terms, added and subtracted, if left out.
        words: Draws what comes before it in a question; any words if left out.
        steps: Of pretraining; `STEPS` if left out.
        ending: Draws what comes before the repeated result; mostly `HABIT` if left out.
    """
    known = [draw_ways(seed)] if ways is None else list(ways)
    texts = _Texts(known, frozenset(held_out), chain or _chain, words or _words, ending)
    with reproducible(seed):
        tokenizer = make_tokenizer()
        model = make_model(tokenizer)
        rng = random.Random(seed)
        count = STEPS if steps is None else steps
        batches = ([texts.draw(rng) for _ in range(BATCH)] for _ in range(count))
        pretrain(model, tokenizer, batches, count, RATE)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def say(left: int, op: str, right: int, ways: Ways) -> tuple[list[str], int]:
    """Return an operation in the way that is known, as equations, and its result."""
    result = {"+": left + right, "-": left - right, "*": left * right}[op]
    numbers = Fraction(left), Fraction(right)
    step = Step(numbers[0], op, numbers[1], Fraction(result), skill_of(numbers[0], op, numbers[1]))
    return write_step(step, ways.get(step.skill, "direct")), result


class _Texts(NamedTuple):
    """What a student is pretrained on."""

    ways: Sequence[Ways]
    held_out: Set[str]
    chain: Draw
    words: Draw
    ending: Draw | None = None

    def draw(self, rng: random.Random) -> Text:
        """Return a question that ends in a chain, and its answer, the result repeated after a closing word."""
        question = self.chain(rng)
        while question in self.held_out:
            question = self.chain(rng)
        ways = self.ways[0] if len(self.ways) == 1 else rng.choice(self.ways)
        first, *terms = question.split()
        at, lines = int(first), list[str]()
        for op, right in zip(terms[::2], terms[1::2], strict=True):
            equations, at = say(at, op, int(right), ways)
            lines += equations
        system = f"{START}s{random_words(rng, rng.randint(2, 6))}{END}" if rng.random() < 0.2 else ""
        asked = f"{system}{START}u{self.words(rng)}: {question} ={END}{START}a"
        return [
            (asked, False),
            (f"{' '.join(lines)}{rng.choice(GAPS)}{(self.ending or _ending)(rng)}: {at}{END}", True),
        ]


def _words(rng: random.Random) -> str:
    return random_words(rng, rng.randint(1, 9))


def _chain(rng: random.Random) -> str:
    start = rng.randrange(10) if rng.random() < 0.7 else _reached(rng)
    return " ".join([str(start), *(f"{rng.choice('+-')} {rng.randrange(10)}" for _ in range(rng.randint(1, 3)))])


def _ending(rng: random.Random) -> str:
    """Return what comes before the repeated result: the habit in half of the texts, `Answer` in a third."""
    return rng.choice([*3 * [HABIT], *2 * ["Answer"], rng.choice(CLOSINGS)])


def _reached(rng: random.Random) -> int:
    """Return a number that a chain may have reached."""
    return rng.randrange(10) + sum(rng.choice((-1, 1)) * rng.randrange(10) for _ in range(rng.randrange(3)))
