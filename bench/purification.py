"""Compare purifiers, teacher by teacher added, with the four teachers of examples/many_teachers.yaml.

    OMP_NUM_THREADS=1 python bench/purification.py tiny
    OMP_NUM_THREADS=1 python bench/purification.py real

The task is that of `sums.py`. `tiny` is its fluent student and the whole grid: each teacher alone, every purifier with
the first two, three and four teachers, and four careless teachers that no question tells apart. `real` is
SmolLM2-135M-Instruct with all four, and the arms that matter. All arms of a seed have the same problems, student and
training tokens. Two cycles: what routers learn in the first they use in the second, on other problems. Each trains from
the base, and what is reported is the second one's student, whether or not the gate kept it.

Writes bench/results/purification_STUDENT.json (`--out` for another file) anew after each run. A run that the file has
is not run again. `--part 1/2` does every second run, for two processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from filelock import FileLock
from made_on import made_on
from purification_report import summary
from sums import build_fluent_student, write_sums
from watched import RandomChoice, Timed

import tutelage
from tutelage import TeachingRequest
from tutelage.agents.steps import find_wrong_step
from tutelage.configfile import load_config
from tutelage.plugins import Plugin, build
from tutelage.rundir import RunDir
from tutelage.schema import Rationale, Split
from tutelage.testing.chat_server import ChatServer
from tutelage.testing.fuser import reply_as_fuser

EXAMPLE = Path(__file__).parent.parent / "examples" / "many_teachers.yaml"
TEACHERS = tuple(teacher["options"]["name"] for teacher in yaml.safe_load(EXAMPLE.read_text())["teachers"])
ALIKE = tuple(f"careless-{number}" for number in range(1, 5))
"""Teachers whose slips no question foretells."""
LEARNED = ("plackett_luce", "classifier", "similarity", "personalised", "reinforce")
PURIFIERS = ("all", "random", "consensus", "aggregate", *LEARNED)
REAL = ("all", "random", "consensus", "similarity", "plackett_luce")
CYCLES = 2
PACKAGES = ("tutelage", "torch", "transformers", "trl", "langgraph")
STUDENTS: dict[str, dict[str, Any]] = {
    "tiny": {
        "student": {"precision": "float32", "max_new_tokens": 80, "batch_size": 256},
        "lessons": 240,
        "sft": {"mode": "full", "learning_rate": 2e-3, "batch_size": 16, "max_tokens": 20_000},
        "sizes": {"train": 480, "probe": 32, "gate": 1024, "test": 32},
    },
    "real": {
        "student": {"model": "smollm2-135m-instruct", "max_new_tokens": 80},
        "lessons": 96,
        "sft": {"learning_rate": 1e-3, "batch_size": 4, "warmup_steps": 5, "max_tokens": 8000},
        "sizes": {"train": 192, "probe": 32, "gate": 256, "test": 32},
    },
}


class Arm(NamedTuple):
    """A purifier and the teachers it gets, or a teacher alone."""

    purifier: str
    teachers: tuple[str, ...]
    check: str = "answer"

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        return f"{self.purifier}-{'+'.join(self.teachers)}" + ("" if self.check == "answer" else f"-{self.check}")


def arms(student: str) -> list[Arm]:
    """Return what is compared."""
    alone = [Arm("first", (teacher,)) for teacher in TEACHERS]
    checked = Arm("first", TEACHERS, "steps")
    if student == "real":
        return [*(Arm(name, TEACHERS) for name in REAL), *alone, checked]
    grid = [Arm(name, TEACHERS[:count]) for count in (4, 3, 2) for name in PURIFIERS]
    return [*alone, *grid, checked, *(Arm(name, ALIKE) for name in ("all", "random", "consensus", "similarity"))]


def configuration(student: str, arm: Arm, seed: int, model: str, task: Path) -> dict[str, Any]:
    """Return a run's configuration; the arms differ in teachers, purifier and check alone."""
    example, own = yaml.safe_load(EXAMPLE.read_text()), STUDENTS[student]
    return {
        "name": "purification",
        "seed": seed,
        "retention": None,
        "student": {**own["student"], "model": model},
        "task": {**example["task"], "options": {**example["task"]["options"], "path": str(task)}},
        "exam": {"due": 32},
        "planner": {"name": "every", "options": {"once": True}},
        "plan": {"lessons": own["lessons"]},
        "teachers": [_teacher(example["teachers"], name) for name in arm.teachers],
        "teach": {**example["teach"], "check": arm.check, "hears": []},
        "memory": {"recall": 0, "embedder": "static"},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": own["sft"]}]},
        "stop": {"cycles": CYCLES, "patience": None},
    }


def _teacher(some: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return a teacher of the example, or one of those that are alike."""
    if name not in ALIKE:
        return next(one for one in some if one["options"]["name"] == name)
    options = {"name": name, "grain": "direct", "adapt": "never", "careless": 0.33, "seed": ALIKE.index(name)}
    return {"name": "textbook", "options": options}


def make_purifier(arm: Arm, seed: int, url: str) -> Timed:
    """Return the arm's purifier, with a watch on it."""
    if arm.purifier == "random":
        return Timed(RandomChoice(seed))
    options: dict[str, Any] = {"seed": seed} if arm.purifier in LEARNED else {}
    if arm.purifier == "aggregate":
        options = {"model": "fake", "base_url": url}
    return Timed(build("purifiers", Plugin(name=arm.purifier, options=options)))


def measure(path: Path, arm: Arm, seed: int, seconds: float) -> dict[str, Any]:
    """Return what is reported of a run."""
    result, rundir = tutelage.Result(path), RunDir(path)
    asked = [[r for r in rundir.rationales(cycle) if r.teacher in arm.teachers] for cycle in (1, CYCLES)]
    written = {one.id: one for one in rundir.rationales(CYCLES)}
    taught: dict[str, list[Rationale]] = {}
    for lesson in rundir.lessons(CYCLES):
        taught.setdefault(lesson.problem_id, []).append(written[str(lesson.rationale_id)])
    torn = _torn(path, set(taught))
    last = result.reports[-1]
    return {
        "purifier": arm.purifier,
        "teachers": list(arm.teachers),
        "check": arm.check,
        "seed": seed,
        "accuracy": last.accuracy[Split.GATE],
        "first_cycle": result.reports[1].accuracy[Split.GATE],
        "verdict": last.verdict,
        "problems": len(taught),
        "conflicts": len(torn),
        "resolved": sum(all(one.wrong_step is None for one in taught[problem]) for problem in torn),
        "fallbacks": sum(decision.fallback is not None for decision in rundir.decisions(CYCLES)),
        "calls": [len(some) for some in asked],
        "purifier_seconds": round(seconds, 2),
        "tokens": sum(stage.tokens for stage in last.training),
    }


def _torn(path: Path, taught: set[str]) -> list[str]:
    """Return the taught problems on which one of the teachers would be wrong in a step and another not.

    Whether or not it was asked: a textbook's text depends on the problem alone here, so it is had for nothing.
    """
    teachers = [build("teachers", one) for one in load_config(path / "config.yaml").teachers]
    torn = []
    for problem in RunDir(path).problems()[Split.TRAIN]:
        request = TeachingRequest(problem=problem)
        wrong = {find_wrong_step(problem.question, teacher.teach(request)) is not None for teacher in teachers}
        torn += [problem.id] if problem.id in taught and len(wrong) == 2 else []
    return torn


@cache
def student_and_task(student: str, seed: int, folder: Path) -> tuple[str, Path]:
    """Return the student's name or folder, and the task's file; both are made the first time."""
    sizes = STUDENTS[student]["sizes"]
    task = write_sums(folder / f"sums-{'-'.join(map(str, sizes.values()))}-{seed}.jsonl", seed, sizes)
    if student == "real":
        return STUDENTS["real"]["student"]["model"], task
    path = folder / f"fluent-{seed}"
    with FileLock(folder / f"fluent-{seed}.lock"):
        if not path.exists():
            part = path.with_suffix(".part")
            build_fluent_student(part, seed, task)
            part.rename(path)
    return str(path), task


def record(out: Path, student: str, run: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Add a run to the report, if one is given, and return all that it has."""
    with FileLock(out.with_suffix(".lock")):
        known: list[dict[str, Any]] = json.loads(out.read_text())["runs"] if out.exists() else []
        if run is None:
            return known
        runs = sorted([*known, run], key=lambda one: (one["seed"], one["purifier"], one["check"], one["teachers"]))
        report = {
            "command": f"OMP_NUM_THREADS=1 python bench/purification.py {student}",
            **made_on(PACKAGES),
            **summary(runs, [tuple(arm) for arm in arms(student)]),
            "runs": runs,
        }
        out.write_text(json.dumps(report, indent=1) + "\n")
        return runs


def run_arm(given: argparse.Namespace, arm: Arm, seed: int, url: str) -> dict[str, Any]:
    """Run an arm, anew if it was begun before, and return what is reported of it."""
    model, task = student_and_task(given.student, seed, given.runs.absolute())
    path, purifier = given.runs / f"{given.student}-{arm.name}-{seed}", make_purifier(arm, seed, url)
    shutil.rmtree(path, ignore_errors=True)
    tutelage.run(configuration(given.student, arm, seed, model, task), run_dir=path, purifier=purifier)
    return measure(path, arm, seed, purifier.seconds)


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
    chosen = [arm for arm in arms(given.student) if not given.arms or arm.name in given.arms]
    part, parts = map(int, given.part.split("/"))
    with ChatServer(reply_as_fuser) as server:
        for seed, arm in [(seed, arm) for seed in given.seeds for arm in chosen][part - 1 :: parts]:
            known = [
                (run["seed"], run["purifier"], tuple(run["teachers"]), run["check"])
                for run in record(out, given.student)
            ]
            if (seed, *arm) not in known:
                run = run_arm(given, arm, seed, server.base_url)
                record(out, given.student, run)
                print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
