"""Compare where a cycle's training starts, with the tiny student: the last accepted checkpoint, or the base again.

    OMP_NUM_THREADS=1 nice -n 19 python bench/start.py --seeds 0 1 2 --runs runs/start

Three cycles each. `last` and `last-replay` train on the cycle's own lessons, the second with a third of the problems
from earlier cycles; `base` trains on all lessons so far, on as many supervised tokens a cycle (equal cost), and
`base-whole` on three times as many, so that its student has seen as many as that of `last` after three cycles.
Resumable: a finished run is read.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import yaml
from made_on import commit, made_on

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import Split

PACKAGES = ("tutelage", "torch", "transformers", "trl", "reasoning-gym")
CYCLES = 3
TOKENS = 9000
"""Supervised tokens a cycle."""
LESSONS = 30
"""Problems taught a cycle, so that each of the 90 can be taught once."""
ARMS: dict[str, dict[str, Any]] = {
    "last": {"start": "last"},
    "last-replay": {"start": "last", "replay": 1 / 3},
    "base": {"start": "base"},
    "base-whole": {"start": "base"},
}


def configuration(arm: str, seed: int, tokens: int) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(Path("examples/policies.yaml").read_text())
    values |= {"name": f"{arm}-{seed}", "policy": None, "seed": seed, "plan": {"lessons": LESSONS}}
    values |= {"stop": {"cycles": CYCLES, "patience": None}, "memory": {"recall": 0}}
    values["training"] |= ARMS[arm]
    whole = CYCLES if arm == "base-whole" else 1
    values["training"]["stages"][0]["options"]["max_tokens"] = tokens * whole
    return values


def run(arm: str, seed: int, tokens: int, folder: Path) -> dict[str, Any]:
    path = folder / f"{arm}-{seed}"
    if not (path / "result.json").exists():
        if (path / "config.yaml").exists():
            tutelage.resume(path)
        else:
            tutelage.run(configuration(arm, seed, tokens), run_dir=path)
    result, rundir = tutelage.Result(path), RunDir(path)
    taught = [{lesson.problem_id for lesson in rundir.lessons(cycle)} for cycle in range(1, CYCLES + 1)]
    training = [stage for report in result.reports for stage in report.training]
    return {
        "arm": arm,
        "seed": seed,
        "test": result.summary["test"],
        "best_cycle": result.summary["student"]["best_cycle"],
        "gate": [round(report.accuracy[Split.GATE], 3) for report in result.reports if report.accuracy],
        "probe": [round(report.accuracy[Split.PROBE], 3) for report in result.reports if report.accuracy],
        "verdicts": [str(report.verdict) for report in result.reports[1:]],
        "problems": len(set().union(*taught)),
        "replayed": [report.lessons.replayed for report in result.reports[1:]],
        "tokens_trained": sum(stage.tokens for stage in training),
        "seconds_training": round(sum(stage.seconds for stage in training), 1),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    arms: dict[str, Any] = {}
    for arm in dict.fromkeys(one["arm"] for one in runs):
        some = [one for one in runs if one["arm"] == arm]
        best = [one["test"]["best"] for one in some]
        arms[arm] = {
            "test": [round(value, 3) for value in best],
            "mean": round(statistics.mean(best), 3),
            "sd": round(statistics.stdev(best), 3) if len(best) > 1 else None,
            "last_gate": round(statistics.mean(one["gate"][-1] for one in some), 3),
            "tokens_trained": round(statistics.mean(one["tokens_trained"] for one in some)),
            "seconds_training": round(statistics.mean(one["seconds_training"] for one in some), 1),
        }
    return arms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--tokens", type=int, default=TOKENS, help="supervised tokens a cycle")
    parser.add_argument("--runs", type=Path, default=Path("runs/start"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/start.json"))
    given = parser.parse_args()
    runs = []
    for seed in given.seeds:
        for arm in given.arms:
            runs.append(run(arm, seed, given.tokens, given.runs))
            print(json.dumps(runs[-1]), flush=True)
    report = {
        "command": f"python bench/start.py --seeds {' '.join(map(str, given.seeds))} --tokens {given.tokens}",
        "commit": commit(),
        **made_on(PACKAGES),
        "arms": summary(runs),
        "runs": runs,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
