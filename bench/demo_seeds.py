"""Run the demo with several seeds and write one small JSON file.

    python bench/demo_seeds.py --seeds 0 1 2 --runs runs/bench --out bench/results/demo.json

Resumable: a finished run is read, an interrupted one is resumed, the file is written anew after each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import tutelage
from tutelage.configfile import load_config

PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft", "langgraph", "reasoning-gym")


def run_seed(config: Path, seed: int, folder: Path) -> dict[str, object]:
    path = folder / f"{config.stem}-seed-{seed}"
    resumed = (path / "config.yaml").exists()
    if resumed and load_config(path / "config.yaml") != load_config(config, [f"seed={seed}"]):
        raise SystemExit(f"{path}: was run with another configuration; remove it, or give another --runs")
    given = ["resume", str(path)] if resumed else ["run", str(config), "--set", f"seed={seed}", "--run-dir", str(path)]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tutelage", *given], check=True)  # in a process of its own, as `make demo`
    seconds = None if resumed else round(time.perf_counter() - began)
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
        "wall_seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("examples/arithmetic.yaml"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/bench"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/demo.json"))
    given = parser.parse_args()
    runs = []
    for seed in given.seeds:
        runs.append(run_seed(given.config, seed, given.runs))
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(report(given, runs), indent=1) + "\n")
        print(json.dumps(runs[-1]), flush=True)


def report(given: argparse.Namespace, runs: list[dict[str, object]]) -> dict[str, object]:
    seeds = " ".join(str(run["seed"]) for run in runs)
    return {
        "command": f"python bench/demo_seeds.py --config {given.config} --seeds {seeds}",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "median_test_best": statistics.median(run["test"]["best"] for run in runs),  # type: ignore[index]
        "runs": runs,
    }


if __name__ == "__main__":
    main()
