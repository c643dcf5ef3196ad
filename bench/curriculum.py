"""Compare planners under equal budgets, on a balanced pool and on one whose rarest skill is at 2 %.

    OMP_NUM_THREADS=1 python bench/curriculum.py tiny
    OMP_NUM_THREADS=1 python bench/curriculum.py real --planners uniform ...

The task and the tiny student are those of `curriculum_task.py`; `real` is SmolLM2-135M-Instruct. All arms of a seed and
pool have the same student, problems, training tokens and number of lessons that they may plan in a cycle, each of which
is one teacher call. Each cycle goes on from the last one's student, and examines what it was taught. No cycle is rolled
back, so the balanced gate split, on which nothing is chosen, is what is reported: accuracy by cycle and by skill. A
planner that plans fewer lessons than it may is not helped: `lessons` and `calls` say so.

Writes bench/results/curriculum_STUDENT.json (`--out`) anew after each run. A run that the file has is not run again.
`--part 1/2` does every second run, for two processes. `curriculum_report.py` makes the page's table and curves.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from curriculum_task import GLIMPSED, POOLS, PREREQUISITES, SKILLS, STEPS, build_student, counted_for, write_task
from filelock import FileLock
from made_on import commit, made_on
from run_file import Run, add_run, known_runs

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import CycleReport, Problem, Split

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
NEVER = 1e-300
"""Less than any p of harm on so few gate problems: 0.5^350 is 4e-106."""
PACKAGES = ("tutelage", "torch", "transformers", "trl", "langgraph")


class Budget(NamedTuple):
    """What every arm may spend, and how its student is taught."""

    cycles: int
    lessons: int
    due: int
    """Train problems examined in a cycle: all that were taught, and some new ones."""
    sft: dict[str, Any]
    student: dict[str, Any]
    sizes: dict[str, int]
    task: dict[str, Any]


BUDGETS = {
    "tiny": Budget(
        cycles=6,
        lessons=240,
        due=300,
        sft={"mode": "full", "learning_rate": 5e-4, "batch_size": 16, "max_tokens": 100_000},
        student={"precision": "float32", "max_new_tokens": 48, "batch_size": 256},
        sizes={"train": 2800, "probe": 280, "gate": 350, "test": 70},
        task={"instruction": None},
    ),
    "real": Budget(
        cycles=3,
        lessons=128,
        due=160,
        sft={"learning_rate": 1e-3, "batch_size": 4, "warmup_steps": 5, "max_tokens": 4000},
        student={"model": "smollm2-135m-instruct", "max_new_tokens": 48},
        sizes={"train": 1400, "probe": 200, "gate": 140, "test": 35},
        task={},
    ),
}


def configuration(budget: Budget, planner: str, seed: int, model: str, task: Path) -> dict[str, Any]:
    """Return a run's configuration; the arms of a student differ in the planner alone."""
    told = {"path": str(task), "skills": "skills", "split_column": "split", "prerequisites": PREREQUISITES}
    return {
        "name": "curriculum",
        "seed": seed,
        "retention": None,
        "student": {**budget.student, "model": model},
        "task": {"name": "dataset", "options": {**told, **budget.task}},
        "exam": {"due": budget.due},
        "planner": PLANNERS[planner],
        "plan": {"lessons": budget.lessons},
        "teachers": [{"name": "textbook", "options": {"grain": "direct", "adapt": "never"}}],
        "teach": {"hears": [], "max_revisions": 0},
        "memory": {"recall": 0, "embedder": "static"},
        "training": {"min_lessons": 1, "worker": "inline", "stages": [{"name": "sft", "options": budget.sft}]},
        "gate": {"alpha": NEVER},
        "stop": {"cycles": budget.cycles, "patience": None},
    }


def measure(path: Path) -> list[dict[str, Any]]:
    """Return what is reported of each cycle, the base student's exam first."""
    rundir = RunDir(path)
    problems = {one.id: one for some in rundir.problems().values() for one in some}
    found: list[dict[str, Any]] = []
    for report in tutelage.Result(path).reports:
        taught = Counter(counted_for(problems[one.problem_id].skills) for one in rundir.lessons(report.cycle))
        if not taught and found:  # nothing was planned: there is no new student
            scores = {key: found[-1][key] for key in ("accuracy", "by_skill")}
        elif report.verdict == "rolled_back":
            raise SystemExit(f"{path}: cycle {report.cycle} was rolled back ({report.why}); this bench keeps all")
        else:
            scores = {
                "accuracy": round(report.accuracy[Split.GATE], 4),
                "by_skill": _by_skill(rundir, report, problems),
            }
        found.append(
            {
                **scores,
                "lessons": {skill: taught[skill] for skill in SKILLS if taught[skill]},
                "calls": len(rundir.rationales(report.cycle)),
                "tokens": sum(stage.tokens for stage in report.training),
            }
        )
    return found


def _by_skill(rundir: RunDir, report: CycleReport, problems: Mapping[str, Problem]) -> dict[str, float]:
    """Return a student's accuracy on the gate split by the skill that a problem is counted for."""
    marks: defaultdict[str, list[bool]] = defaultdict(list)
    for attempt in rundir.attempts(report.cycle):
        if attempt.split is Split.GATE and attempt.student == report.student:
            marks[counted_for(problems[attempt.problem_id].skills)].append(attempt.correct)
    return {skill: round(statistics.mean(marks[skill]), 4) for skill in SKILLS}


def run_arm(given: argparse.Namespace, planner: str, pool: str, seed: int) -> dict[str, Any]:
    """Run an arm, anew if it was begun before, and return what is reported of it."""
    model, tasks = student_and_tasks(given.student, seed, given.runs.absolute())
    path = given.runs / f"{pool}-{planner}-{seed}"
    shutil.rmtree(path, ignore_errors=True)
    tutelage.run(configuration(BUDGETS[given.student], planner, seed, model, tasks[pool]), run_dir=path)
    return {"planner": planner, "pool": pool, "seed": seed, "commit": commit(), "cycles": measure(path)}


@cache
def student_and_tasks(name: str, seed: int, folder: Path) -> tuple[str, dict[str, Path]]:
    """Return the student and each pool's file; they are made the first time."""
    budget = BUDGETS[name]
    with FileLock(folder / f"{seed}.lock"):
        tasks = {pool: write_task(folder / f"{pool}-{seed}.jsonl", seed, pool, budget.sizes) for pool in POOLS}
        model, student = budget.student.get("model"), folder / f"student-{seed}"
        if not model and not student.exists():
            part = student.with_suffix(".part")
            build_student(part, seed, list(tasks.values()))
            part.rename(student)
    return model or str(student), tasks


def terms(name: str) -> dict[str, Any]:
    """Return all that must be the same in the runs of a report, as JSON has it."""
    student = {"steps": STEPS, "glimpsed": GLIMPSED} if name == "tiny" else {}
    made = {"budget": BUDGETS[name]._asdict(), "pretraining": student, "shares": POOLS, "planners": PLANNERS}
    again: dict[str, Any] = json.loads(json.dumps(made))
    return again


def hold_to(path: Path, made: dict[str, Any]) -> None:
    """Keep what runs are made with beside them, and refuse to go on with another."""
    if not path.exists():
        path.write_text(json.dumps(made))
    if json.loads(path.read_text()) != made:
        raise SystemExit(f"{path}: runs were made with another budget, task or planner; remove them, or give --runs")


def order(run: Run) -> tuple[str, int, int]:
    """Return what runs are sorted by."""
    return run["pool"], run["seed"], list(PLANNERS).index(run["planner"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", choices=BUDGETS)
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=list(PLANNERS))
    parser.add_argument("--pools", nargs="+", choices=POOLS, default=list(POOLS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--runs", type=Path, help="a folder for the runs; runs/curriculum-STUDENT if left out")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.out = given.out or Path(f"bench/results/curriculum_{given.student}.json")
    given.runs = given.runs or Path(f"runs/curriculum-{given.student}")
    given.runs.mkdir(parents=True, exist_ok=True)
    hold_to(given.runs / "terms.json", terms(given.student))
    command, held = f"OMP_NUM_THREADS=1 python bench/curriculum.py {given.student}", lambda _: terms(given.student)
    part, parts = map(int, given.part.split("/"))
    wanted = [(seed, pool, planner) for seed in given.seeds for pool in given.pools for planner in given.planners]
    for seed, pool, planner in wanted[part - 1 :: parts]:
        known = [(run["seed"], run["pool"], run["planner"]) for run in known_runs(given.out, held)]
        if (seed, pool, planner) not in known:
            run = run_arm(given, planner, pool, seed)
            add_run(given.out, run, held, {"command": command, **made_on(PACKAGES)}, order)
            print(json.dumps({**run, "cycles": [cycle["accuracy"] for cycle in run["cycles"]]}), flush=True)


if __name__ == "__main__":
    main()
