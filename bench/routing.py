"""Whether routers find the right teacher by the question, and what that takes.

    OMP_NUM_THREADS=2 python bench/routing.py --out bench/results/routing.json

Planted skills: four teachers, eight reasoning_gym generators, each teacher right on two of them alone. A router is
fitted on 400 labelled questions and asked about 400 others; three seeds. Then the time: fitting on 2,000 labelled
questions, and routing one question after another.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from made_on import made_on

from tutelage.plugins import Plugin, build
from tutelage.schema import Evidence, Problem
from tutelage.tasks.reasoning_gym import ReasoningGymTask

TEACHERS = ("a", "b", "c", "d")
GENERATORS = (
    "chain_sum",
    "products",
    "gcd",
    "lcm",
    "leg_counting",
    "fraction_simplification",
    "letter_counting",
    "number_sorting",
)
ROUTERS = ("plackett_luce", "classifier", "similarity", "personalised")
LABELLED, HELD_OUT, MANY, SINGLE = 400, 400, 2000, 100


def right_teacher(problem: Problem) -> str:
    """Return the one teacher that is right on a problem."""
    return TEACHERS[GENERATORS.index(problem.skills[0]) % len(TEACHERS)]


def problems(seed: int, count: int) -> tuple[list[Problem], list[Problem]]:
    """Draw so many problems to label, and those that are held out."""
    mixture = [{"name": name, "params": {}} for name in GENERATORS]
    splits = ReasoningGymTask(mixture, {"train": count, "probe": HELD_OUT}, seed).splits()
    by_name = {split.value: list(some) for split, some in splits.items()}
    return by_name["train"], by_name["probe"]


def evidence(some: list[Problem]) -> list[Evidence]:
    """Label every teacher on every problem."""
    return [
        Evidence(problem=one, teacher=name, text="x", verified=right_teacher(one) == name)
        for one in some
        for name in TEACHERS
    ]


def accuracy(router: Any, asked: list[Problem]) -> float:
    """Return the share of problems for which the right teacher has the best chance."""
    chances = router.route(asked, TEACHERS)
    chosen = [max(chances[one.id], key=chances[one.id].__getitem__) for one in asked]
    return sum(name == right_teacher(one) for name, one in zip(chosen, asked, strict=True)) / len(asked)


def measure(name: str, encoder: str, seeds: list[int]) -> dict[str, Any]:
    """Return how often a router is right, and its times."""
    shares = []
    for seed in seeds:
        labelled, asked = problems(seed, LABELLED)
        router = build("purifiers", Plugin(name=name, options={"encoder": encoder}))
        router.fit(evidence(labelled))
        shares.append(round(accuracy(router, asked), 4))
    labelled, asked = problems(seeds[0], MANY)
    router = build("purifiers", Plugin(name=name, options={"encoder": encoder}))
    began = time.perf_counter()
    router.fit(evidence(labelled))
    fitted = time.perf_counter() - began
    walls = []
    for one in asked[: SINGLE + 5]:
        began = time.perf_counter()
        router.route([one], TEACHERS)
        walls.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    router.route(asked, TEACHERS)
    together = (time.perf_counter() - began) * 1000 / len(asked)
    return {
        "right_by_seed": shares,
        f"seconds_to_fit_{MANY}": round(fitted, 1),
        "ms_a_question_alone_p50": round(statistics.median(walls[5:]), 2),
        "ms_a_question_together": round(together, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--encoders", nargs="+", default=["minilm", "static"])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = {f"{n}, {e}": measure(n, e, given.seeds) for e in given.encoders for n in ROUTERS}
    report = {
        "command": f"python bench/routing.py --seeds {' '.join(map(str, given.seeds))}",
        **made_on(("tutelage", "torch", "reasoning-gym")),
        "labelled": LABELLED,
        "held_out": HELD_OUT,
        "routers": figures,
    }
    print(json.dumps(report, indent=1))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
