"""What a step of `tpsft` costs beside one of `sft` on the same layers: SmolLM2-135M-Instruct, in turn.

    OMP_NUM_THREADS=2 python bench/tpsft_cost.py

Writes bench/results/tpsft_cost.json: seconds a step in each round, and their ratio, with an adapter and in full. Both
stages take the same lessons equally often; the seconds are those of the training loop. A round's number is its seed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from made_on import commit, made_on

from tutelage.agents.resolve import resolve_student
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.sft import SFTStage
from tutelage.training.tpsft import TPSFTStage

PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft")
SYSTEM = "Work step by step. End with 'Answer:' and the result."
SAME: dict[str, Any] = {"batch_size": 4, "epochs": 4, "modules": ("down_proj",), "band": (0.4, 0.9)}
LESSONS = 32


def lessons(seed: int) -> tuple[Lesson, ...]:
    """Return sums of three terms with their solutions."""
    rng, made = random.Random(seed), []
    for number in range(LESSONS):
        a, b, c = (rng.randint(1, 99) for _ in range(3))
        text = f"{a} + {b} = {a + b}. {a + b} + {c} = {a + b + c}. Answer: {a + b + c}"
        asked = f"What is {a} + {b} + {c}?"
        made.append(Lesson(problem_id=str(number), cycle=1, question=asked, text=text, origin="bench", system=SYSTEM))
    return tuple(made)


def seconds_a_step(stage: SFTStage, base: Path, seed: int) -> float:
    """Train once and return the seconds of an optimizer step."""
    with TemporaryDirectory() as out:
        report = stage.run(StageJob(1, base, None, Path(out), lessons(seed), seed))
    return report.metrics["train_seconds"] / report.steps


def compare(mode: Any, base: Path, rounds: int) -> dict[str, Any]:
    """Return the seconds of both stages in turn; which comes first changes."""
    stages: dict[str, SFTStage] = {"sft": SFTStage(mode=mode, **SAME), "tpsft": TPSFTStage(mode=mode, **SAME)}
    found: dict[str, list[float]] = {name: [] for name in stages}
    for number in range(rounds):
        for name in sorted(stages, reverse=number % 2 == 1):
            found[name].append(round(seconds_a_step(stages[name], base, number), 4))
    ratios = [round(ours / theirs, 4) for ours, theirs in zip(found["tpsft"], found["sft"], strict=True)]
    return {"mode": mode, **found, "ratios": ratios, "median_ratio": round(statistics.median(ratios), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--student", default="smollm2-135m-instruct")
    parser.add_argument("--out", type=Path, default=Path("bench/results/tpsft_cost.json"))
    given = parser.parse_args()
    base = resolve_student(given.student)
    command = f"OMP_NUM_THREADS=2 python bench/tpsft_cost.py --rounds {given.rounds}"
    report = {"command": command, **made_on(PACKAGES), "commit": commit()}
    rows = [compare(mode, base, given.rounds) for mode in ("lora", "full")]
    given.out.write_text(json.dumps({**report, "student": given.student, "rows": rows}, indent=1) + "\n")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
