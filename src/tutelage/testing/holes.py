"""Students with known holes: right on the rules they were taught, lost where a problem needs another.

What a diagnostician is tested with (the idea of novices by unlearning, arXiv 2603.26142, turned round: the hole is left
out of the teaching, since unlearning is hard to check). A student has heard the names of all rules and repeats them, so
that it answers in form; what a rule in `holes` does, it has never seen.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..checkpoints import quiet
from ..errors import InputError, RunError
from ..tiny import END, START, Text, make_model, make_tokenizer, pretrain, reproducible, share_recited
from .rule_book import LENGTHS, MOST, RULES, check_rules, draw_rules
from .rules import INSTRUCTION, draw_problem

STEPS, BATCH, RATE = 300, 32, 4e-3
"""A round of pretraining: optimizer steps, texts a step, peak learning rate."""
ROUNDS: Final = 4
"""At most; most students need one. When a student learns to go from one name to the next is a matter of luck."""
KNOWN: Final = 0.98
"""Share of problems of known rules that a student must work right before it is handed out."""
_CHECKED: Final = 256
"""Problems that this is measured on."""
REPEATED: Final = 0.15
"""Share of the texts that repeat names of rules."""
_WORDS: Final = f"Start Repeat {' '.join(RULES)} {' '.join(map(str, range(10)))}"


def draw_holes(seed: int) -> tuple[str, ...]:
    """Return one to three rules, drawn by a seed."""
    rng = random.Random(f"holes {seed}")
    return tuple(sorted(rng.sample(sorted(RULES), rng.randint(1, 3))))


def build_student_with_holes(
    folder: Path, holes: Collection[str], seed: int = 0, *, steps: int = STEPS, instruction: str = INSTRUCTION
) -> Path:
    """Write a tiny student that knows all rules but the holes, after some 20 to 40 seconds of pretraining on a core.

    Args:
        folder: Made if it does not exist; in the format of Hugging Face.
        holes: Rules that no text applies; their names are only repeated.
        seed: Seed of the weights and texts.
        steps: Of a round of pretraining.
        instruction: The system message it is used to.

    Raises:
        InputError: If a hole is no rule, or too few rules are left to know.
        RunError: If it does not know the other rules after `ROUNDS` rounds.
    """
    texts = _Texts(check_holes(holes), instruction)
    with reproducible(seed):
        tokenizer = make_tokenizer(_WORDS)
        model = make_model(tokenizer)
        _pretrain_until_known(model, tokenizer, texts, seed, steps)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def check_holes(holes: Collection[str]) -> frozenset[str]:
    """Return the holes as a set.

    Raises:
        InputError: If one is no rule, or fewer than three rules are left to know.
    """
    check_rules("holes", holes)
    if len(RULES) - len(set(holes)) < MOST:
        raise InputError(f"holes: leaves {len(RULES) - len(set(holes))} rules to know; leave {MOST} or more")
    return frozenset(holes)


def _pretrain_until_known(model: Any, tokenizer: Any, texts: _Texts, seed: int, steps: int) -> None:
    rng, checked, share = random.Random(seed), random.Random(f"checked {seed}"), 0.0
    asked = [texts.solved(checked) for _ in range(_CHECKED)]
    for _ in range(ROUNDS):
        pretrain(model, tokenizer, texts.batches(rng, steps), steps, RATE)
        share = share_recited(model, tokenizer, asked)
        if share >= KNOWN:
            return
    raise RunError(f"holes: the student knows {share:.2f} of the rules it was taught; raise steps ({steps})")


class _Texts(NamedTuple):
    """What a student is pretrained on."""

    holes: frozenset[str]
    instruction: str

    def batches(self, rng: random.Random, count: int) -> Iterator[list[Text]]:
        for _ in range(count):
            yield [self.draw(rng) for _ in range(BATCH)]

    def draw(self, rng: random.Random) -> Text:
        """Return a problem of known rules with its solution, or names of any rules that are repeated."""
        return self._repeated(rng) if rng.random() < REPEATED else self.solved(rng)

    def solved(self, rng: random.Random) -> Text:
        """Return a problem of known rules with its solution."""
        shares = {name: float(name not in self.holes) for name in RULES}
        problem = draw_problem(rng, LENGTHS, shares)
        return self._turn(problem.question, str(problem.reference))

    def _repeated(self, rng: random.Random) -> Text:
        names = draw_rules(rng, rng.choice(LENGTHS), dict.fromkeys(RULES, 1.0))
        said = f"Repeat: {', '.join(names)}."
        return self._turn(said, said)

    def _turn(self, asked: str, answer: str) -> Text:
        return [(f"{START}s{self.instruction}{END}{START}u{asked}{END}{START}a", False), (f"{answer}{END}", True)]
