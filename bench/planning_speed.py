"""Time every planner over 1,000 skills with prerequisites, 20,000 problems and 20,000 attempts.

    OMP_NUM_THREADS=1 python bench/planning_speed.py --out bench/results/planning_speed.json

A skill builds on two of the layer below it, a problem needs one to three skills that are near one another, half of the
skills are weak. Each plan is made anew `--repeats` times; the seconds are wall and CPU of one plan, the request given.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

from made_on import made_on

from tutelage.plugins import Plugin, build, installed
from tutelage.schema import Problem
from tutelage.seams import Outcome, Planner, PlanningRequest
from tutelage.testing.planning import make_attempt, make_diagnosis, make_request

LAYERS = 25
MIX = [{"planner": name, "share": share} for name, share in (("replay", 0.2), ("set-cover", 0.5), ("paced", 0.3))]
OPTIONS: dict[str, dict[str, Any]] = {"mix": {"parts": MIX}}


def draw_request(skills: int, problems: int, attempts: int, lessons: int, seed: int = 0) -> PlanningRequest:
    """Draw what is planned."""
    rng = random.Random(seed)
    width = skills // LAYERS
    names = [f"layer {number // width:02} skill {number:04}" for number in range(skills)]
    prerequisites = {
        names[n]: (names[n - width], names[max(0, n - width - rng.randrange(3))]) for n in range(width, skills)
    }
    tags = [
        [names[(at + n * rng.randrange(1, width)) % skills] for n in range(rng.randint(1, 3))]
        for at in (rng.randrange(skills) for _ in range(problems))
    ]
    pool = [Problem(id=f"p{n:05}", question=f"{n}?", answer="1", skills=tuple(some)) for n, some in enumerate(tags)]
    means = {name: rng.betavariate(1, 1) * 0.998 + 0.001 for name in names}
    weak = [name for name in names if means[name] < 0.5]
    ids = [rng.choice(pool).id for _ in range(attempts)]
    return make_request(
        pool,
        lessons,
        make_diagnosis(means, weak, prerequisites=prerequisites, cycle=3),
        cycle=3,
        attempts=[make_attempt(one, float(rng.random() < 0.5), 3, n) for n, one in enumerate(ids[: attempts // 2])],
        earlier_attempts=[
            make_attempt(one, float(rng.random() < 0.5), 1, n) for n, one in enumerate(ids[attempts // 2 :])
        ],
        taught={one: 1 for one in ids[: attempts // 4]},
        outcomes=[Outcome(one, rng.randint(20, 200), rng.random() < 0.5) for one in ids],
        teacher_rates={name: rng.random() for name in names},
        earlier=[make_diagnosis({name: rng.uniform(0.001, 0.999) for name in names}, cycle=cycle) for cycle in (1, 2)],
    )


def measure(planner: Planner, request: PlanningRequest, repeats: int) -> dict[str, float]:
    """Return the median and the largest wall seconds of a plan, its median CPU seconds, and how long it is."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        made = planner.plan(request)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "wall_seconds": round(statistics.median(walls), 3),
        "worst_wall_seconds": round(max(walls), 3),
        "cpu_seconds": round(statistics.median(cpus), 3),
        "assignments": len(made.assignments),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skills", type=int, default=1000)
    parser.add_argument("--problems", type=int, default=20_000)
    parser.add_argument("--attempts", type=int, default=20_000)
    parser.add_argument("--lessons", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    request = draw_request(given.skills, given.problems, given.attempts, given.lessons)
    before = os.getloadavg()[0]
    names = [row.name for row in installed() if row.seam == "planners" and row.package == "tutelage"]
    planners = {name: build("planners", Plugin(name=name, options=OPTIONS.get(name, {}))) for name in names}
    report = {
        "command": "OMP_NUM_THREADS=1 python bench/planning_speed.py --out bench/results/planning_speed.json",
        **made_on(("tutelage", "networkx", "numpy", "scipy")),
        "sizes": {name: getattr(given, name) for name in ("skills", "problems", "attempts", "lessons", "repeats")},
        "planners": {name: measure(planner, request, given.repeats) for name, planner in planners.items()},
        "load": {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)},
    }
    print(json.dumps(report, indent=1))
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
