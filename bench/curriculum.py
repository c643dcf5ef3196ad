"""Compare planners under equal budgets, on a balanced pool and on one whose rarest skill is at 2 %.

    OMP_NUM_THREADS=1 python bench/curriculum.py
    OMP_NUM_THREADS=1 python bench/curriculum.py --table

The task and the tiny student are those of `curriculum_task.py`. All arms of a seed and pool have the same student,
problems, lessons a cycle (each one teacher call) and training tokens; each cycle trains from the base on all lessons so
far. No cycle is rolled back, so the balanced gate split, on which nothing is chosen, is what is reported: accuracy by
cycle and by skill. A planner that plans fewer lessons than it may is not helped: `lessons` and `calls` say so.

Writes bench/results/curriculum.json (`--out`) anew after each run. A run that the file has is not run again. `--part
1/2` does every second run, for two processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from curriculum_task import POOLS, PREREQUISITES, RAREST, SIZES, SKILLS, STEPS, build_student, counted_for, write_task
from filelock import FileLock
from made_on import made_on

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import Split

MIX = [
    {"planner": "replay", "share": 0.2},
    {"planner": "set-cover", "share": 0.5},
    {"planner": {"name": "paced", "options": {"fresh": 1}}, "share": 0.3},
]
PLANNERS: dict[str, Any] = {
    "uniform": "uniform",
    "every": {"name": "every", "options": {"once": True}},
    "paced": "paced",
    "set-cover": "set-cover",
    "ladder": "ladder",
    "gap-mix": "gap-mix",
    "benefit": "benefit",
    "replay": "replay",
    "mix": {"name": "mix", "options": {"parts": MIX}},
}
CYCLES, LESSONS, DUE, TOKENS = 5, 120, 240, 20_000
PACKAGES = ("tutelage", "torch", "transformers", "trl", "langgraph")


def configuration(given: argparse.Namespace, planner: str, seed: int, student: Path, task: Path) -> dict[str, Any]:
    """Return a run's configuration; the arms differ in the planner alone."""
    sft = {"mode": "full", "learning_rate": 1e-3, "batch_size": 32, "max_tokens": given.tokens}
    return {
        "name": "curriculum",
        "seed": seed,
        "retention": None,
        "student": {"model": str(student), "precision": "float32", "max_new_tokens": 48, "batch_size": 256},
        "task": {
            "name": "dataset",
            "options": {
                "path": str(task),
                "skills": "skills",
                "split_column": "split",
                "instruction": None,
                "prerequisites": PREREQUISITES,
            },
        },
        "exam": {"due": DUE},
        "planner": PLANNERS[planner],
        "plan": {"lessons": LESSONS},
        "teachers": [{"name": "textbook", "options": {"grain": "direct", "adapt": "never"}}],
        "teach": {"hears": [], "max_revisions": 0},
        "memory": {"recall": 0, "embedder": "static"},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": sft}]},
        "gate": {"alpha": 1e-9},
        "stop": {"cycles": given.cycles, "patience": None},
    }


def measure(path: Path) -> list[dict[str, Any]]:
    """Return what is reported of each cycle, the base student's exam first."""
    rundir = RunDir(path)
    problems = {one.id: one for some in rundir.problems().values() for one in some}
    found = []
    for report in tutelage.Result(path).reports:
        taught = Counter(counted_for(problems[one.problem_id].skills) for one in rundir.lessons(report.cycle))
        sat = [a for a in rundir.attempts(report.cycle) if a.split is Split.GATE and a.student == report.student]
        marks: defaultdict[str, list[bool]] = defaultdict(list)
        for attempt in sat:
            marks[counted_for(problems[attempt.problem_id].skills)].append(attempt.correct)
        found.append(
            {
                "accuracy": round(report.accuracy[Split.GATE], 4),
                "by_skill": {skill: round(statistics.mean(marks[skill]), 4) for skill in SKILLS if marks[skill]},
                "lessons": {skill: taught[skill] for skill in SKILLS if taught[skill]},
                "calls": len(rundir.rationales(report.cycle)),
                "tokens": sum(stage.tokens for stage in report.training),
                "verdict": report.verdict,
            }
        )
    return found


def run_arm(given: argparse.Namespace, planner: str, pool: str, seed: int) -> dict[str, Any]:
    """Run an arm, anew if it was begun before, and return what is reported of it."""
    student, tasks = student_and_tasks(seed, given.runs.absolute(), given.steps)
    path = given.runs / f"{pool}-{planner}-{seed}"
    shutil.rmtree(path, ignore_errors=True)
    config = configuration(given, planner, seed, student, tasks[pool])
    tutelage.run(config, run_dir=path)
    cycles = measure(path)
    return {"planner": planner, "pool": pool, "seed": seed, "cycles": cycles}


@cache
def student_and_tasks(seed: int, folder: Path, steps: int) -> tuple[Path, dict[str, Path]]:
    """Return the student's folder and each pool's file; they are made the first time."""
    with FileLock(folder / f"seed-{seed}.lock"):
        tasks = {pool: write_task(folder / f"{pool}-{seed}.jsonl", seed, pool) for pool in POOLS}
        student = folder / f"student-{seed}-{steps}"
        if not student.exists():
            part = student.with_suffix(".part")
            build_student(part, seed, list(tasks.values()), steps)
            part.rename(student)
    return student, tasks


def record(given: argparse.Namespace, run: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Add a run to the report, if one is given, and return all that it has."""
    with FileLock(given.out.with_suffix(".lock")):
        known: list[dict[str, Any]] = json.loads(given.out.read_text())["runs"] if given.out.exists() else []
        if run is None:
            return known
        runs = sorted([*known, run], key=lambda one: (one["pool"], one["seed"], list(PLANNERS).index(one["planner"])))
        report = {
            "command": "OMP_NUM_THREADS=1 python bench/curriculum.py",
            **made_on(PACKAGES),
            "budget": {"cycles": given.cycles, "lessons": LESSONS, "due": DUE, "tokens": given.tokens},
            "student": {"steps": given.steps, "sizes": SIZES, "shares": POOLS},
            "runs": runs,
        }
        given.out.write_text(json.dumps(report, indent=1) + "\n")
        return runs


def table(runs: list[dict[str, Any]]) -> str:
    """Return a row for each pool and planner as Markdown: means over seeds on the balanced gate split."""
    head = ["pool", "planner", "seeds", "last", "± sd", "mean of all cycles", RAREST, "lessons", "calls"]
    rows = [head, ["---"] * len(head)]
    for pool in POOLS:
        for planner in PLANNERS:
            some = [run["cycles"] for run in runs if (run["pool"], run["planner"]) == (pool, planner)]
            rows += [[pool, f"`{planner}`", *_figures(some)]] if some else []
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figures(some: list[list[dict[str, Any]]]) -> list[str]:
    last = [cycles[-1]["accuracy"] for cycles in some]
    through = [statistics.mean(cycle["accuracy"] for cycle in cycles[1:]) for cycles in some]
    rare = [cycles[-1]["by_skill"][RAREST] for cycles in some]
    lessons = [sum(sum(cycle["lessons"].values()) for cycle in cycles) for cycles in some]
    calls = [sum(cycle["calls"] for cycle in cycles) for cycles in some]
    spread = f"{statistics.stdev(last):.3f}" if len(last) > 1 else ""
    shown = [f"{statistics.mean(values):.3f}" for values in (last, through, rare)]
    counts = [f"{statistics.mean(values):.0f}" for values in (lessons, calls)]
    return [str(len(some)), f"**{shown[0]}**", spread, *shown[1:], *counts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=list(PLANNERS))
    parser.add_argument("--pools", nargs="+", choices=POOLS, default=list(POOLS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--steps", type=int, default=STEPS, help="of the student's pretraining")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--runs", type=Path, default=Path("runs/curriculum"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/curriculum.json"))
    parser.add_argument("--table", action="store_true", help="print what the file has, as Markdown")
    given = parser.parse_args()
    if given.table:
        print(table(record(given)))
        return
    given.runs.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, given.part.split("/"))
    wanted = [(seed, pool, planner) for seed in given.seeds for pool in given.pools for planner in given.planners]
    for seed, pool, planner in wanted[part - 1 :: parts]:
        if (seed, pool, planner) not in [(run["seed"], run["pool"], run["planner"]) for run in record(given)]:
            run = run_arm(given, planner, pool, seed)
            record(given, run)
            print(json.dumps({**run, "cycles": [cycle["accuracy"] for cycle in run["cycles"]]}), flush=True)


if __name__ == "__main__":
    main()
