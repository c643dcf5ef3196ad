"""Compare purifiers, teacher by teacher added, with the four teachers of examples/many_teachers.yaml.

    OMP_NUM_THREADS=1 python bench/purification.py tiny
    OMP_NUM_THREADS=1 python bench/purification.py real

The task is that of `sums.py`. `tiny` is its fluent student and the whole grid: each teacher alone, and every purifier
with the first two, three and four teachers. `real` is SmolLM2-135M-Instruct with all four, and the arms that matter.
All arms of a seed have the same problems, student, cycles and training tokens; each cycle trains from the base.

Writes bench/results/purification_STUDENT.json (`--out` for another file) anew after each run. Resumable: a run that the
file has is not run again, an interrupted one is resumed. `--part 1/2` does every second run, for two processes.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from fuser import reply_as_fuser
from sums import build_fluent_student, write_sums

import tutelage
from tutelage.rundir import RunDir
from tutelage.schema import Rationale
from tutelage.testing.chat_server import ChatServer

EXAMPLE = Path(__file__).parent.parent / "examples" / "many_teachers.yaml"
TEACHERS = tuple(teacher["options"]["name"] for teacher in yaml.safe_load(EXAMPLE.read_text())["teachers"])
LEARNED = ("plackett_luce", "classifier", "similarity", "personalised", "reinforce")
PURIFIERS = ("all", "consensus", "aggregate", *LEARNED)
REAL = ("all", "consensus", "similarity", "plackett_luce")
"""The learned ones are those with the best mitigation value in the tiny grid."""
PACKAGES = ("tutelage", "torch", "transformers", "trl", "langgraph")
STUDENTS: dict[str, dict[str, Any]] = {
    "tiny": {
        "student": {"precision": "float32", "max_new_tokens": 80, "batch_size": 256},
        "exam": {"due": None},
        "plan": {"lessons": None},
        "sft": {"mode": "full", "learning_rate": 2e-3, "batch_size": 16, "max_tokens": 20_000},
        "sizes": {"train": 240, "probe": 64, "gate": 256, "test": 1024},
    },
    "real": {
        "student": {"model": "smollm2-135m-instruct", "max_new_tokens": 80},
        "exam": {"due": None},
        "plan": {"lessons": None},
        "sft": {"learning_rate": 1e-3, "batch_size": 4, "warmup_steps": 5, "max_tokens": 8000},
        "sizes": {"train": 96, "probe": 32, "gate": 96, "test": 256},
    },
}


class Arm(NamedTuple):
    """A purifier and the teachers it gets, or a teacher alone."""

    purifier: str
    teachers: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        return f"{self.purifier}-{'+'.join(self.teachers)}"


def arms(student: str) -> list[Arm]:
    """Return what is compared."""
    alone = [Arm("first", (teacher,)) for teacher in TEACHERS]
    if student == "real":
        return [*(Arm(name, TEACHERS) for name in REAL), *alone]
    return [*alone, *(Arm(name, TEACHERS[:count]) for count in (4, 3, 2) for name in PURIFIERS)]


def configuration(student: str, arm: Arm, seed: int, model: str, task: Path, url: str) -> dict[str, Any]:
    """Return a run's configuration; the arms differ in teachers and purifier alone."""
    example, own = yaml.safe_load(EXAMPLE.read_text()), STUDENTS[student]
    options: dict[str, Any] = {"encoder": "static"} if arm.purifier in LEARNED else {}
    if arm.purifier == "aggregate":
        options = {"model": "fake", "base_url": url}
    return {
        "name": "purification",
        "seed": seed,
        "retention": None,
        "student": {**own["student"], "model": model},
        "task": {**example["task"], "options": {**example["task"]["options"], "path": str(task)}},
        "exam": own["exam"],
        "planner": "every",
        "plan": own["plan"],
        "teachers": [one for one in example["teachers"] if one["options"]["name"] in arm.teachers],
        "teach": {**example["teach"], "hears": []},
        "memory": {"recall": 0, "embedder": "static"},
        "purifier": {"name": arm.purifier, "options": options},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": own["sft"]}]},
        "stop": {"cycles": 2, "patience": None},
    }


def run_arm(config: dict[str, Any], path: Path) -> None:
    """Run, or resume. One with a chat model is begun anew: its server is gone."""
    if (path / "config.yaml").exists():
        if tutelage.Result(path).summary["status"] == "finished":
            return
        if config["purifier"]["name"] != "aggregate":
            tutelage.resume(path)
            return
        shutil.rmtree(path)
    tutelage.run(config, run_dir=path)


def measure(path: Path, arm: Arm, seed: int) -> dict[str, Any]:
    """Return what is reported of a run."""
    result, rundir = tutelage.Result(path), RunDir(path)
    asked = [[one for one in rundir.rationales(cycle) if one.teacher in TEACHERS] for cycle in (1, 2)]
    taught: dict[str, list[Rationale]] = {}
    written = {one.id: one for one in rundir.rationales(2)}
    for lesson in rundir.lessons(2):
        taught.setdefault(lesson.problem_id, []).append(written[str(lesson.rationale_id)])
    torn = _torn(asked[0])
    sound = [all(one.wrong_step is None for one in taught[problem]) for problem in torn if problem in taught]
    seconds = [report.seconds for report in result.reports]
    return {
        "purifier": arm.purifier,
        "teachers": list(arm.teachers),
        "seed": seed,
        "test": result.summary["test"]["best"],
        "n": result.summary["test"]["n"],
        "gate": [report.accuracy.get(tutelage.Split.GATE) for report in result.reports],
        "conflicts": len(torn),
        "resolved": sum(sound),
        "calls": [len(some) for some in asked],
        "purifier_seconds": round(sum(one.get("plan", 0) + one.get("purify", 0) for one in seconds), 1),
        "tokens": sum(stage.tokens for report in result.reports for stage in report.training),
    }


def _torn(written: list[Rationale]) -> list[str]:
    """Return the problems on which one teacher has a wrong step and another has none."""
    sound: dict[str, set[bool]] = {}
    for one in written:
        sound.setdefault(one.problem_id, set()).add(one.wrong_step is None)
    return [problem for problem, some in sound.items() if len(some) == 2]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each arm's figures over seeds, and each purifier's conflict-mitigation value."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        found.setdefault(Arm(run["purifier"], tuple(run["teachers"])).name, []).append(run)
    return {
        "arms": {name: _figures(some) for name, some in found.items()},
        "mitigation": {name: _mitigation(runs, name) for name in PURIFIERS if name != "all"},
    }


def _figures(runs: list[dict[str, Any]]) -> dict[str, Any]:
    tests = [run["test"] for run in runs]
    conflicts = sum(run["conflicts"] for run in runs)
    return {
        "mean": round(statistics.mean(tests), 4),
        "sd": round(statistics.stdev(tests), 4) if len(tests) > 1 else None,
        "seeds": len(tests),
        "resolved": round(sum(run["resolved"] for run in runs) / conflicts, 4) if conflicts else None,
        "calls": [round(statistics.mean(calls), 1) for calls in zip(*(run["calls"] for run in runs), strict=True)],
        "purifier_seconds": statistics.median(run["purifier_seconds"] for run in runs),
    }


def _mitigation(runs: list[dict[str, Any]], purifier: str) -> dict[str, Any] | None:
    """Return the mean gain over `all`, by seed, over the numbers of teachers above one (arXiv 2602.01064)."""
    tests = {(run["purifier"], len(run["teachers"]), run["seed"]): run["test"] for run in runs}
    gains: dict[int, list[float]] = {}
    for (name, count, seed), test in tests.items():
        if name == purifier and ("all", count, seed) in tests:
            gains.setdefault(seed, []).append(test - tests["all", count, seed])
    by_seed = {str(seed): round(statistics.mean(some), 4) for seed, some in sorted(gains.items())}
    return {"mean": round(statistics.mean(by_seed.values()), 4), "by_seed": by_seed} if by_seed else None


@cache
def student_and_task(student: str, seed: int, folder: Path) -> tuple[str, Path]:
    """Return the student's name or folder, and the task's file; both are made the first time."""
    sizes = STUDENTS[student]["sizes"]
    task = write_sums(folder / f"sums-{'-'.join(map(str, sizes.values()))}-{seed}.jsonl", seed, sizes)
    if student == "real":
        return STUDENTS["real"]["student"]["model"], task
    path = folder / f"fluent-{seed}"
    with _locked(folder / f"fluent-{seed}.lock"):
        if not path.exists():
            part = path.with_suffix(".part")
            build_fluent_student(part, seed, task)
            part.rename(path)
    return str(path), task


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def record(out: Path, student: str, run: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Add a run to the report, if one is given, and return all that it has."""
    with _locked(out.with_suffix(".lock")):
        known = json.loads(out.read_text())["runs"] if out.exists() else []
        if run is None:
            return known
        runs = sorted([*known, run], key=lambda one: (one["seed"], one["purifier"], one["teachers"]))
        report = {
            "command": f"OMP_NUM_THREADS=1 python bench/purification.py {student}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
            "python": platform.python_version(),
            "versions": {name: version(name) for name in PACKAGES},
            **summary(runs),
            "runs": runs,
        }
        out.write_text(json.dumps(report, indent=1) + "\n")
        return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", choices=STUDENTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", help="such as all-careless+specialist; all by default")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--runs", type=Path, default=Path("runs/purification"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    out = given.out or Path(f"bench/results/purification_{given.student}.json")
    given.runs.mkdir(parents=True, exist_ok=True)
    wanted = [
        (seed, arm) for seed in given.seeds for arm in arms(given.student) if not given.arms or arm.name in given.arms
    ]
    part, parts = map(int, given.part.split("/"))
    with ChatServer(reply_as_fuser) as server:
        for seed, arm in wanted[part - 1 :: parts]:
            known = {(run["seed"], run["purifier"], tuple(run["teachers"])) for run in record(out, given.student)}
            if (seed, *arm) in known:
                continue
            model, task = student_and_task(given.student, seed, given.runs.absolute())
            path = given.runs / f"{given.student}-{arm.name}-{seed}"
            run_arm(configuration(given.student, arm, seed, model, task, server.base_url), path)
            run = measure(path, arm, seed)
            record(out, given.student, run)
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
