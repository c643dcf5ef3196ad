"""Compare the teaching policies with the tiny student at equal supervised tokens for the student that comes out.

    OMP_NUM_THREADS=1 nice -n 19 python bench/policies.py --seeds 0 1 2 --runs runs/policies

Three cycles each, but for `one-shot`, which has one. A policy that trains from the base in each cycle, and `one-shot`,
get three times the tokens a cycle, so that every student has seen as many; what all cycles cost together is listed.
Resumable: a finished run is read.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

import yaml
from made_on import made_on

import tutelage
from tutelage.rundir import RunDir

PACKAGES = ("tutelage", "torch", "transformers", "trl", "reasoning-gym")
CYCLES = 3
TOKENS = 9000
"""Supervised tokens a cycle of a policy that goes on from the last checkpoint."""
WHOLE = {"one-shot", "undo", "star"}
"""Policies whose every student is trained on all of its tokens in one cycle."""
ARMS = ("none", "one-shot", "undo", "star", "theory-of-mind", "preference", "strategies")


def configuration(arm: str, seed: int) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(Path("examples/policies.yaml").read_text())
    values |= {"name": f"{arm}-{seed}", "policy": None if arm == "none" else arm, "seed": seed}
    values["stop"] = {"cycles": 1 if arm == "one-shot" else CYCLES, "patience": None}
    values["memory"] = {"recall": 0}  # what memory is worth is another bench's question
    if arm == "star":
        del values["teachers"]
    if arm == "strategies":
        del values["training"]["stages"]
    else:
        values["training"]["stages"][0]["options"]["max_tokens"] = TOKENS * (CYCLES if arm in WHOLE else 1)
    if arm in ("none", "theory-of-mind", "preference"):
        values["plan"] = {"lessons": 45}
    return values


def run(arm: str, seed: int, folder: Path) -> dict[str, Any]:
    path = folder / f"{arm}-{seed}"
    if not (path / "result.json").exists():
        if (path / "config.yaml").exists():
            tutelage.resume(path)
        else:
            tutelage.run(configuration(arm, seed), run_dir=path)
    result, rundir = tutelage.Result(path), RunDir(path)
    cycles = range(len(result.reports))
    rationales = [one for cycle in cycles for one in rundir.rationales(cycle)]
    training = [stage for report in result.reports for stage in report.training]
    return {
        "arm": arm,
        "seed": seed,
        "test": result.summary["test"],
        "best_cycle": result.summary["student"]["best_cycle"],
        "gate": [round(report.accuracy[tutelage.Split.GATE], 3) for report in result.reports[1:] if report.accuracy],
        "verdicts": [str(report.verdict) for report in result.reports[1:]],
        "lessons": [report.lessons.taught for report in result.reports[1:]],
        "from_student": [report.lessons.from_student for report in result.reports[1:]],
        "rationales": len(rationales),
        "tokens_trained": sum(stage.tokens for stage in training),
        "answers": sum(len(rundir.attempts(cycle)) for cycle in cycles),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    arms: dict[str, Any] = {}
    for arm in dict.fromkeys(one["arm"] for one in runs):
        some = [one for one in runs if one["arm"] == arm]
        best = [one["test"]["best"] for one in some]
        arms[arm] = {
            "test": [round(value, 3) for value in best],
            "median": round(statistics.median(best), 3),
            "rationales": round(statistics.mean(one["rationales"] for one in some)),
            "tokens_trained": round(statistics.mean(one["tokens_trained"] for one in some)),
            "answers": round(statistics.mean(one["answers"] for one in some)),
        }
    return arms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=list(ARMS))
    parser.add_argument("--runs", type=Path, default=Path("runs/policies"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/policies.json"))
    given = parser.parse_args()
    runs = []
    for seed in given.seeds:
        for arm in given.arms:
            runs.append(run(arm, seed, given.runs))
            print(json.dumps(runs[-1]), flush=True)
    report = {
        "command": f"python bench/policies.py --seeds {' '.join(map(str, given.seeds))}",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        **made_on(PACKAGES),
        "arms": summary(runs),
        "runs": runs,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
