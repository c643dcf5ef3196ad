"""Run the demo with several seeds and write one small JSON file.

    python bench/demo_seeds.py --seeds 0 1 2 --runs runs/bench --out bench/results/demo.json

Resumable: a finished run is read, an interrupted one is resumed (and has no time then), the file is written anew after
each.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from made_on import commit, made_on

import tutelage
from tutelage.configfile import load_config
from tutelage.rundir import RunDir

PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft", "langgraph", "reasoning-gym")


def run_seed(config: Path, seed: int, folder: Path) -> dict[str, Any]:
    path = folder / f"{config.stem}-seed-{seed}"
    resumed = (path / "config.yaml").exists()
    if resumed and load_config(path / "config.yaml") != load_config(config, [f"seed={seed}"]):
        raise SystemExit(f"{path}: was run with another configuration; remove it, or give another --runs")
    given = ["resume", str(path)] if resumed else ["run", str(config), "--set", f"seed={seed}", "--run-dir", str(path)]
    code, began = commit(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "tutelage", *given], check=True)  # in a process of its own, as `make demo`
    measured = {} if resumed else {"commit": code, "wall_seconds": round(time.perf_counter() - began)}
    return {**result_of(path, seed), **measured}


def result_of(path: Path, seed: int) -> dict[str, Any]:
    result = tutelage.Result(path)
    summary, reports = result.summary, result.reports
    best = reports[summary["student"]["best_cycle"]]
    return {
        "seed": seed,
        "test": summary["test"],
        "best_cycle": best.cycle,
        "retention": best.accuracy.get(tutelage.Split.RETENTION),
        "retention_n": best.n.get(tutelage.Split.RETENTION),
        "gate": [report.accuracy.get(tutelage.Split.GATE) for report in reports],
        "verdicts": [f"{report.verdict}: {report.why}" for report in reports],
        "node_seconds": round(sum(sum(report.seconds.values()) for report in reports)),
        "right_by_kind": right_by_kind(RunDir(path), summary["student"]["best"]),
    }


def right_by_kind(rundir: RunDir, checkpoint: str) -> dict[str, list[int]]:
    """Return [right, asked] of a checkpoint's gate and probe problems, by skill and by the size of the problem."""
    splits = (tutelage.Split.GATE, tutelage.Split.PROBE)
    problems = {p.id: p for split in splits for p in rundir.problems()[split]}
    found: dict[str, list[int]] = {}
    for cycle in range(len(rundir.reports())):
        for attempt in rundir.attempts(cycle):
            problem = problems.get(attempt.problem_id)
            if problem is None or attempt.student != checkpoint:
                continue
            for kind in (*problem.skills, size_of(problem.question)):
                counts = found.setdefault(kind, [0, 0])
                counts[0] += attempt.correct
                counts[1] += 1
    return dict(sorted(found.items()))


def size_of(question: str) -> str:
    numbers = re.findall(r"\d+", question)
    return f"{len(numbers)} terms of {max(map(len, numbers))} digits"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("examples/arithmetic.yaml"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/bench"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/demo.json"))
    given = parser.parse_args()
    earlier = {run["seed"]: run for run in json.loads(given.out.read_text())["runs"]} if given.out.exists() else {}
    runs = []
    for seed in given.seeds:
        run = run_seed(given.config, seed, given.runs)
        before = earlier.get(seed, {})
        if before.get("node_seconds") == run["node_seconds"]:  # this very run, read again: its measures are kept
            run = {**{key: before.get(key) for key in ("commit", "wall_seconds")}, **run}
        runs.append({"commit": None, "wall_seconds": None, **run})
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(report(given, runs), indent=1) + "\n")
        print(json.dumps(runs[-1]), flush=True)


def report(given: argparse.Namespace, runs: list[dict[str, Any]]) -> dict[str, Any]:
    seeds = " ".join(str(run["seed"]) for run in runs)
    return {
        "command": f"python bench/demo_seeds.py --config {given.config} --seeds {seeds}",
        **made_on(PACKAGES),
        "median_test_best": statistics.median(run["test"]["best"] for run in runs),
        "median_retention": statistics.median(run["retention"] for run in runs),
        "median_wall_seconds": statistics.median(timed)
        if (timed := [r["wall_seconds"] for r in runs if r["wall_seconds"]])
        else None,
        "runs": runs,
    }


if __name__ == "__main__":
    main()
