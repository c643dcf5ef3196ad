"""The task of bench/curriculum.py: seven skills that build on one another, and a tiny student that knows three of them.

Of the others it has seen a little. A question is a chain of two operations. It needs one skill, which it is counted
for, and beside it only skills that this one builds on; so each skill's share of a pool is what it is meant to be.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tutelage.agents.teachers.grains import find_expression
from tutelage.arithmetic import as_text, skills_of, work
from tutelage.shares import apportion
from tutelage.testing.planted import build_planted_student

ADD, CARRY = "addition without carry", "addition with carry"
TAKE, BORROW = "subtraction without borrow", "subtraction with borrow"
BELOW, NEGATIVE, TIMES = "subtraction below zero", "from a negative number", "multiplication by one digit"
PREREQUISITES: dict[str, tuple[str, ...]] = {
    CARRY: (ADD,),
    BORROW: (TAKE,),
    BELOW: (TAKE, ADD),
    NEGATIVE: (BELOW,),
    TIMES: (ADD, TAKE),
}
KNOWN = (ADD, TAKE, TIMES)
"""What the student is pretrained on, but for `GLIMPSED` of the texts, which are of the other skills."""
GLIMPSED = 0.02
POOLS: dict[str, dict[str, float]] = {
    "balanced": dict.fromkeys((ADD, TAKE, TIMES, CARRY, BORROW, BELOW, NEGATIVE), 1 / 7),
    "long-tailed": {ADD: 0.34, TAKE: 0.26, TIMES: 0.16, CARRY: 0.10, BELOW: 0.08, NEGATIVE: 0.04, BORROW: 0.02},
}
"""The share of each skill in the train and probe splits; gate and test are balanced in both."""
SKILLS = tuple(POOLS["balanced"])
NEW = tuple(skill for skill in SKILLS if skill not in KNOWN)
RAREST = BORROW
ASKED = ("Work out", "What is", "Solve", "Find")
STEPS = 1500


def below(skill: str) -> set[str]:
    """Return all that a skill builds on, directly or not."""
    direct = PREREQUISITES.get(skill, ())
    return set(direct).union(*(below(one) for one in direct))


def counted_for(skills: tuple[str, ...]) -> str:
    """Return the skill that a problem is counted for: the one that builds on its others."""
    return next(skill for skill in SKILLS if skill in skills and set(skills) <= {skill} | below(skill))


def draw_chain(rng: random.Random, skill: str) -> str:
    """Return a chain of two operations that is counted for a skill."""
    while True:
        start = rng.randint(-9, 9) if skill == NEGATIVE else rng.randint(0, 9 if skill in (BELOW, TIMES) else 99)
        first = f"* {rng.randint(2, 9)}" if skill == TIMES else f"{rng.choice('+-')} {rng.randint(1, 9)}"
        chain = f"{start} {first} {rng.choice('+-')} {rng.randint(1, 19 if skill == BELOW else 9)}"
        found = set(skills_of(chain))
        if skill in found and found <= {skill} | below(skill):
            return chain


def write_task(path: Path, seed: int, pool: str, sizes: dict[str, int]) -> Path:
    """Write the problems in the format of the task `dataset`; a file that is there is left alone."""
    if not path.exists():
        rng, seen = random.Random(seed), set[str]()
        rows = []
        for split in ("test", "gate", "probe", "train"):
            shares = POOLS[pool if split in ("train", "probe") else "balanced"]
            for skill, count in zip(shares, apportion(sizes[split], list(shares.values())), strict=True):
                rows += [_row(rng, skill, split, seen) for _ in range(count)]
        rng.shuffle(rows)
        part = path.with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in rows))
        part.rename(path)
    return path


def _row(rng: random.Random, skill: str, split: str, seen: set[str]) -> dict[str, object]:
    chain = draw_chain(rng, skill)
    while chain in seen:
        chain = draw_chain(rng, skill)
    seen.add(chain)
    answer = as_text(work(chain)[-1].result)
    question = f"{rng.choice(ASKED)}: {chain} ="
    return {"question": question, "answer": answer, "skills": list(skills_of(chain)), "split": split}


def build_student(folder: Path, seed: int, tasks: list[Path]) -> Path:
    """Write the student to a folder, after some minutes of pretraining on chains of no probe, gate or test split.

    It ends its answers as the task wants them, so that what a run teaches it is skills alone.
    """
    rows = [json.loads(line) for task in tasks for line in task.read_text().splitlines()]
    return build_planted_student(
        folder,
        seed,
        ways=[{}],
        held_out={find_expression(row["question"]) for row in rows if row["split"] != "train"},
        chain=lambda rng: draw_chain(rng, rng.choice(NEW if rng.random() < GLIMPSED else KNOWN)),
        words=lambda rng: rng.choice(ASKED),
        steps=STEPS,
        ending=lambda rng: "Answer",
    )
