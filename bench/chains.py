"""The task of the planted and schooled students: chains of one-digit terms that need a carry or a borrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tutelage.arithmetic import work

CARRY, BORROW = "addition with carry", "subtraction with borrow"
DRAWN = 20_000


def write_chains(folder: Path, seed: int, sizes: dict[str, int]) -> Path:
    """Write chains of 3 to 4 terms that never fall below zero, half with a borrow, the others with a carry.

    Args:
        folder: Where to; a file that is there already is left alone.
        seed: Draws the chains; no question occurs twice.
        sizes: Problems of each split.

    Returns:
        The file, in the format of the task `dataset`.
    """
    path = folder / f"chains-{'-'.join(map(str, sizes.values()))}-{seed}.jsonl"
    if not path.exists():
        found = _draw(seed)
        rows = [row for pair in zip(found[BORROW], found[CARRY], strict=False) for row in pair]
        splits = [split for split, size in sizes.items() for _ in range(size)]
        lines = [json.dumps({**row, "split": split}) for row, split in zip(rows[: len(splits)], splits, strict=True)]
        path.write_text("\n".join(lines) + "\n")
    return path


def _draw(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return the problems by the kind of step that they need."""
    import reasoning_gym

    options = {"min_terms": 3, "max_terms": 4, "min_digits": 1, "max_digits": 1}
    found: dict[str, dict[str, dict[str, Any]]] = {BORROW: {}, CARRY: {}}
    for entry in reasoning_gym.create_dataset("chain_sum", size=DRAWN, seed=seed * 100_000, **options):
        steps = work(entry["metadata"]["expression"])
        skills = {step.skill for step in steps}
        kind = BORROW if BORROW in skills else CARRY
        if kind in skills and all(step.result >= 0 for step in steps):
            row = {"question": entry["question"], "answer": entry["answer"], "skills": sorted(skills)}
            found[kind][entry["question"]] = row
    return {kind: list(rows.values()) for kind, rows in found.items()}
