"""Compare what a teacher hears, and its memory, at equal teacher calls and training tokens, with planted tiny students.

    python bench/teaching.py listening
    python bench/teaching.py memory
    python bench/teaching.py schooled
    python bench/teaching.py real

`real` takes SmolLM2-135M-Instruct, `schooled` the same after a course (see `schooled.py`). Writes
bench/results/teaching_EXPERIMENT.json (`--out` for another file) anew after each run. Resumable: a finished run is
read, an interrupted one is resumed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import sys
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from chains import write_chains
from made_on import made_on
from schooled import STUDENT, build_schooled_student

import tutelage
from tutelage.agents.teachers.grains import find_expression
from tutelage.config import RunConfig
from tutelage.configfile import load_config, parse_config
from tutelage.rundir import RunDir
from tutelage.testing.chat_server import ChatServer
from tutelage.testing.planted import build_planted_student, draw_ways
from tutelage.testing.tutor import scripted_tutor

PACKAGES = ("tutelage", "torch", "transformers", "trl", "langgraph", "reasoning-gym")
SIZES = {"train": 240, "probe": 64, "gate": 256, "test": 1024}
FEWER = {"train": 240, "probe": 64, "gate": 64, "test": 256}
"""For a student that takes longer to answer."""
COLUMNS = {"skills": "skills", "split_column": "split"}
NOW = ["attempts", "earlier", "history"]
"""What of the student a teacher hears, beside the weaknesses that the diagnosis names."""


class Arm(NamedTuple):
    """What sets one arm apart."""

    teacher: dict[str, Any]
    hears: list[str]
    recall: int = 0
    chat: bool = False


TEXTBOOK = {"grain": "place value", "adapt": "errors"}
EXPERIMENTS: dict[str, dict[str, Arm]] = {
    "listening": {
        "thorough, hears": Arm({"grain": "fine", "adapt": "errors"}, NOW),
        "thorough, deaf": Arm({"grain": "fine", "adapt": "errors"}, []),
        "terse, hears": Arm(TEXTBOOK, NOW),
        "terse, deaf": Arm(TEXTBOOK, []),
        "chat, hears": Arm({}, NOW, chat=True),
        "chat, deaf": Arm({}, [], chat=True),
    },
    "real": {
        "terse, hears": Arm(TEXTBOOK, NOW),
        "terse, deaf": Arm(TEXTBOOK, []),
    },
    "schooled": {
        "thorough, hears": Arm({"grain": "fine", "adapt": "errors"}, NOW),
        "thorough, deaf": Arm({"grain": "fine", "adapt": "errors"}, []),
        "terse, deaf": Arm(TEXTBOOK, []),
    },
    "memory": {
        "memory": Arm(TEXTBOOK, ["attempts", "earlier", "recalled"], recall=8),
        "no memory": Arm(TEXTBOOK, ["attempts", "earlier"]),
        "history, no memory": Arm(TEXTBOOK, ["attempts", "earlier", "history"]),
    },
}
PAIRS = {
    "listening": [(f"{teacher}, hears", f"{teacher}, deaf") for teacher in ("thorough", "terse", "chat")],
    "real": [("terse, hears", "terse, deaf")],
    "schooled": [("thorough, hears", "thorough, deaf"), ("thorough, hears", "terse, deaf")],
    "memory": [("memory", "no memory"), ("memory", "history, no memory")],
}


def configuration(experiment: str, arm: Arm, seed: int, student: str, task: Path, url: str) -> dict[str, Any]:
    """Return a run's configuration; the arms of an experiment differ in the teacher and what it hears alone."""
    teacher = {"name": "textbook", "options": arm.teacher}
    if arm.chat:
        teacher = {"name": "chat", "options": {"model": "fake", "base_url": url, "structured": False}}
    return {
        "name": experiment,
        "seed": seed,
        "retention": None,
        "planner": "every",
        "plan": {"lessons": None},
        "teachers": [teacher],
        "teach": {"hears": arm.hears, "max_revisions": 0, "history_tokens": 20000},
        "memory": {"recall": arm.recall} if arm.recall else {"recall": 0, "embedder": "tutelage.testing:HashEmbedder"},
        **STUDENTS[experiment](student, str(task)),
    }


def of_planted(student: str, task: str, due: int | None = None) -> dict[str, Any]:
    """Return what concerns the planted student; it attempts all train problems, or as many as are due."""
    sft = {"mode": "full", "learning_rate": 5e-4, "batch_size": 16, "max_tokens": 10000}
    return {
        "student": {"model": student, "precision": "float32", "max_new_tokens": 80, "batch_size": 256},
        "task": {"name": "dataset", "options": {**COLUMNS, "path": task, "instruction": None}},
        "exam": {"due": due},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": sft}]},
        "stop": {"cycles": 2, "patience": None},
    }


def of_schooled(student: str, task: str) -> dict[str, Any]:
    """Return what concerns the real student that was taught before."""
    sft = {"learning_rate": 1e-3, "batch_size": 8, "warmup_steps": 4, "max_tokens": 3000}
    return {
        "student": {"model": student, "max_new_tokens": 96},
        "task": {"name": "dataset", "options": {**COLUMNS, "path": task, "instruction": None}},
        "exam": {"due": 64},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": sft}]},
        "stop": {"cycles": 2, "patience": None},
    }


def of_smollm2(student: str, _: str) -> dict[str, Any]:
    """Return what concerns the real student as it comes."""
    sft = {"learning_rate": 1e-3, "batch_size": 4, "warmup_steps": 10, "max_tokens": 6000}
    return {
        "student": {"model": student, "max_new_tokens": 96},
        "task": {
            "name": "reasoning_gym",
            "options": {
                "dataset": "chain_sum",
                "params": {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 2},
                "sizes": FEWER,
            },
        },
        "exam": {"due": 64},
        "training": {"start": "base", "worker": "inline", "stages": [{"name": "sft", "options": sft}]},
        "stop": {"cycles": 2, "patience": None},
    }


STUDENTS = {
    "listening": of_planted,
    "memory": partial(of_planted, due=32),
    "schooled": of_schooled,
    "real": of_smollm2,
}


def run_arm(config: dict[str, Any], path: Path) -> tutelage.Result:
    """Run, resume or only read a run. One with a chat teacher is begun anew: its server is gone."""
    if (path / "config.yaml").exists():
        if _settings(load_config(path / "config.yaml")) != _settings(parse_config(config)):
            raise SystemExit(f"{path}: was run with another configuration; remove it, or give another --runs")
        result = tutelage.Result(path)
        if result.summary["status"] == "finished":
            return result
        if config["teachers"][0]["name"] != "chat":
            return tutelage.resume(path)
        shutil.rmtree(path)
    return tutelage.run(config, run_dir=path)


def _settings(config: RunConfig) -> dict[str, Any]:
    """Return all of a configuration but the server, whose port differs."""
    settings = config.model_dump()
    for teacher in settings["teachers"]:
        teacher["options"].pop("base_url", None)
    return settings


def measure(path: Path, seed: int, arm: str) -> dict[str, Any]:
    """Return what is reported of a run."""
    result, rundir = tutelage.Result(path), RunDir(path)
    cycles = range(1, len(result.reports))
    rationales = [rationale for cycle in cycles for rationale in rundir.rationales(cycle)]
    lessons = [lesson for cycle in cycles for lesson in rundir.lessons(cycle)]
    return {
        "arm": arm,
        "seed": seed,
        "test": result.summary["test"],
        "best_cycle": result.summary["student"]["best_cycle"],
        "gate": [report.accuracy.get(tutelage.Split.GATE) for report in result.reports],
        "calls": len(rationales),
        "tokens": sum(stage.tokens for report in result.reports for stage in report.training),
        "rejected": dict(Counter(r.rejected for r in rationales if r.rejected)),
        "mean_equations": round(statistics.mean(lesson.text.count("=") for lesson in lessons), 2),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each arm's mean and standard deviation."""
    return {
        arm: {
            "mean": round(statistics.mean(found.values()), 4),
            "sd": round(statistics.stdev(found.values()), 4) if len(found) > 1 else None,
        }
        for arm, found in _by_arm(runs).items()
    }


def differences(experiment: str, runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return what each pair of arms differs by, seed by seed."""
    by_arm = _by_arm(runs)
    return {
        f"{one} - {other}": {str(s): round(by_arm[one][s] - by_arm[other][s], 4) for s in by_arm[one]}
        for one, other in PAIRS[experiment]
        if one in by_arm and other in by_arm and by_arm[one].keys() == by_arm[other].keys()
    }


def _by_arm(runs: list[dict[str, Any]]) -> dict[str, dict[int, float]]:
    by_arm: dict[str, dict[int, float]] = {}
    for run in runs:
        by_arm.setdefault(run["arm"], {})[run["seed"]] = run["test"]["best"]
    return by_arm


def student_of(experiment: str, seed: int, folder: Path, task: Path) -> str:
    """Return the student's name or folder; a schooled or planted one is made the first time."""
    if experiment == "real":
        return STUDENT
    path = folder / f"{'schooled' if experiment == 'schooled' else 'student'}-{seed}"
    if not path.exists():
        part = path.with_suffix(".part")
        if experiment == "schooled":
            build_schooled_student(part, seed)
        else:
            build_planted_student(part, seed, held_out=_held_out(task))
        part.rename(path)
    return str(path)


def _held_out(task: Path) -> set[str]:
    """Return the chains of the gate and test splits."""
    rows = [json.loads(line) for line in task.read_text().splitlines()]
    return {find_expression(row["question"]) for row in rows if row["split"] in ("gate", "test")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", help="all by default")
    parser.add_argument("--runs", type=Path, default=Path("runs/teaching"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    arms, runs = given.arms or list(EXPERIMENTS[given.experiment]), []
    out = given.out or Path(f"bench/results/teaching_{given.experiment}.json")
    given.runs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        server = stack.enter_context(ChatServer(scripted_tutor("place value")))
        for seed in given.seeds:
            sizes = FEWER if given.experiment == "schooled" else SIZES
            task = write_chains(given.runs.absolute(), seed, sizes)
            student = student_of(given.experiment, seed, given.runs, task)
            for name in arms:
                config = configuration(
                    given.experiment, EXPERIMENTS[given.experiment][name], seed, student, task, server.base_url
                )
                path = given.runs / f"{given.experiment}-{name.replace(', ', '-').replace(' ', '-')}-{seed}"
                run_arm(config, path)
                runs.append(measure(path, seed, name))
                out.write_text(json.dumps(report(given, runs), indent=1) + "\n")
                print(json.dumps(runs[-1]), flush=True)


def report(given: argparse.Namespace, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is written: how it was run, each arm's mean, the differences, and every run."""
    return {
        "command": shlex.join(["python", "bench/teaching.py", *sys.argv[1:]]),
        **made_on(PACKAGES),
        "students": {} if given.experiment == "real" else {str(seed): draw_ways(seed) for seed in given.seeds},
        "arms": summary(runs),
        "differences": differences(given.experiment, runs),
        "runs": runs,
    }


if __name__ == "__main__":
    main()
