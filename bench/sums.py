"""Sums and differences: a task whose questions show which skills they need, and a tiny student that is fluent in both.

    python bench/sums.py examples/sums_and_differences.jsonl

A question adds two one-digit numbers to a number, or subtracts them, with a carry or a borrow. The tiny student is
pretrained on such questions, in coarse steps and in fine ones, but not on those of the gate and test splits;
what a run teaches it is how a task wants its answers, and whatever its teachers' steps do to what it knew.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tutelage.agents.teachers.grains import find_expression
from tutelage.arithmetic import Step, as_text, work
from tutelage.testing.planted import build_planted_student

NEEDED = {"+": "addition with carry", "-": "subtraction with borrow"}
ASKED = {
    "+": ("Add up", "What is the sum", "Altogether"),
    "-": ("Take away", "What is left", "What remains"),
}
STEPS = 1500
SIZES = {"train": 240, "probe": 32, "gate": 48, "test": 128}
FLUENT = [dict.fromkeys(("addition with carry", "subtraction with borrow"), grain) for grain in ("direct", "fine")]


def draw_chain(rng: random.Random, op: str, operations: int = 2) -> str:
    """Return a chain of so many operations."""
    start = rng.randrange(16) if op == "+" else rng.randint(10, 25)
    return " ".join([str(start), *(f"{op} {rng.randint(1, 9)}" for _ in range(operations))])


def write_sums(path: Path, seed: int, sizes: dict[str, int] = SIZES) -> Path:
    """Write sums and differences by turns, in the format of the task `dataset`; a file that is there is left alone."""
    if not path.exists():
        rng, seen = random.Random(seed), set[str]()
        splits = [split for split, size in sizes.items() for _ in range(size)]
        rows = [_row(rng, "+-"[number % 2], split, seen) for number, split in enumerate(splits)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _row(rng: random.Random, op: str, split: str, seen: set[str]) -> dict[str, object]:
    chain, steps = "", tuple[Step, ...]()
    while not chain or chain in seen or not _fits(steps, op):
        chain = draw_chain(rng, op)
        steps = work(chain)
    seen.add(chain)
    question, skills = f"{rng.choice(ASKED[op])}: {chain} =", sorted({step.skill for step in steps})
    return {"question": question, "answer": as_text(steps[-1].result), "skills": skills, "split": split}


def _fits(steps: tuple[Step, ...], op: str) -> bool:
    return all(step.result >= 0 for step in steps) and any(step.skill == NEEDED[op] for step in steps)


def build_fluent_student(folder: Path, seed: int, task: Path) -> Path:
    """Write the student to a folder, after some minutes of pretraining."""
    rows = [json.loads(line) for line in task.read_text().splitlines()]
    held_out = {find_expression(row["question"]) for row in rows if row["split"] in ("gate", "test")}
    words = [words for some in ASKED.values() for words in some]
    return build_planted_student(
        folder,
        seed,
        FLUENT,
        held_out,
        chain=lambda rng: draw_chain(rng, rng.choice("+-"), rng.randint(1, 2)),
        words=lambda rng: rng.choice(words),
        steps=STEPS,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write_sums(given.path, given.seed)
