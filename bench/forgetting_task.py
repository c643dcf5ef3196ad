"""What bench/forgetting.py teaches a tiny student, and what that student must not forget.

A student that knows seven of ten rules (`tutelage.testing.holes`) is taught the other three, by problems of these
alone. The target is to use them, in any problem; the seven by themselves are its general ability.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from tutelage.schema import Problem, Split
from tutelage.testing.rule_book import LENGTHS, RULES
from tutelage.testing.rules import RulesTask, draw_problem

SIZES = {"train": 128, "probe": 20, "gate": 200, "test": 20}
HOLES = 3
REHEARSED = 400


def draw_holes(seed: int) -> tuple[str, ...]:
    """Return the rules that the student of a seed does not know."""
    return tuple(sorted(random.Random(f"forgetting {seed}").sample(sorted(RULES), HOLES)))


def write_task(path: Path, seed: int, holes: Collection[str]) -> Path:
    """Write problems that need a rule the student lacks, in the format of the task `dataset`; a file there is kept."""
    if not path.exists():
        rows, seen = [], set[str]()
        for split, count in SIZES.items():
            alone = {name: float(name in holes or split != "train") for name in RULES}
            drawn = _distinct(random.Random(f"{seed} {split}"), holes, alone, seen)
            rows += [_row(one, split) for one in islice(drawn, count)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _distinct(
    rng: random.Random, holes: Collection[str], shares: dict[str, float], seen: set[str]
) -> Iterator[Problem]:
    while True:
        problem = draw_problem(rng, LENGTHS, shares)
        if set(problem.skills) & set(holes) and problem.question not in seen:
            seen.add(problem.question)
            yield problem


def _row(problem: Problem, split: str) -> dict[str, object]:
    return {
        "question": problem.question,
        "answer": problem.answer,
        "reference": problem.reference,
        "skills": list(problem.skills),
        "split": split,
    }


class KnownRules(RulesTask):
    """Problems of the rules that the student knows: its retention split, and questions to rehearse."""

    def __init__(self, holes: Sequence[str], sizes: dict[Split, int], seed: int = 0) -> None:
        """Leave the holes out.

        Args:
            holes: Rules that are never asked.
            sizes: Problems of the retention split.
            seed: Of the drawing.
        """
        super().__init__(sizes, seed, shares=dict.fromkeys(holes, 0.0))
        self._shares = {name: float(name not in holes) for name in RULES}

    def rehearsal(self) -> Sequence[str]:
        """Return questions that are not in the split."""
        asked = {one.question for some in self.splits().values() for one in some}
        rng = random.Random(f"rehearsed {self.seed}")
        drawn = (draw_problem(rng, LENGTHS, self._shares).question for _ in range(REHEARSED))
        return [question for question in dict.fromkeys(drawn) if question not in asked]
