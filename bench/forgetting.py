"""What a way of training takes from the student while it gives: same lessons, equal steps.

    OMP_NUM_THREADS=1 python bench/forgetting.py tiny
    OMP_NUM_THREADS=1 python bench/forgetting.py tiny --arms sft "tpsft, all layers" --rates 3e-4 4e-4 5e-4 6e-4 8e-4
    OMP_NUM_THREADS=1 python bench/forgetting.py real

A run of one cycle teaches all train problems; the arms differ in `training.stages` alone (and in `retention.rehearse`,
where replay is on). Nothing is rolled back. Reported of the student after it: accuracy on the gate split (the target,
which no arm chooses by), the share that it still answers right of what the base student surely knew (retention), the
mean KL(base || student) of a token along the base student's own answers to general prompts, tokens and seconds.

`tiny` is a student that knows seven of ten rules and is taught the other three (`forgetting_task.py`); `real` is
SmolLM2-135M-Instruct, which is taught chain sums and must keep its general knowledge. Learning rates were chosen by
target accuracy over a grid (`--rates`), with the tiny student on seeds 100 to 102. With the real one that was done on
seed 100, for `sft` and both kinds of `tpsft` alone; the other arms take the rate of their first stage.
`bench/forgetting_report.py` prints what was found.

Writes bench/results/forgetting_STUDENT.json anew after each run; a run that is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock
from forgetting_arms import ARMS, STUDENTS, stages
from forgetting_task import KnownRules, draw_holes, write_task
from kl_to_base import kl_to_base
from made_on import commit, made_on
from run_file import Run, add_run, known_runs

import tutelage
from tutelage.agents.resolve import resolve_student
from tutelage.schema import Split
from tutelage.student_prompt import student_prompt
from tutelage.tasks.quiz import QuizTask
from tutelage.testing.holes import build_student_with_holes

PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft", "langgraph")
NEVER = 1e-300
PROMPTS = 48
"""General prompts that the divergence is measured on; none of them is rehearsed."""


class Place(NamedTuple):
    """Where a seed's student and problems are."""

    student: str
    teacher: str
    """A student that knows all, for `distill`; the real one has none."""
    task: dict[str, Any]
    retention: dict[str, Any]


def prepare(name: str, seed: int, folder: Path) -> Place:
    """Return a seed's student and problems, made the first time."""
    if name == "real":
        sums = {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 2}
        sizes = {"train": 192, "probe": 20, "gate": 128, "test": 20}
        task = {"name": "reasoning_gym", "options": {"dataset": "chain_sum", "params": sums, "sizes": sizes}}
        quiz = {"name": "quiz", "options": {"sizes": {"retention": 300}}}
        return Place("smollm2-135m-instruct", "", task, quiz)
    holes = draw_holes(seed)
    with FileLock(folder / f"{seed}.lock"):
        path = write_task(folder / f"taught-{seed}.jsonl", seed, holes)
        student = built(folder / f"student-{seed}", holes, seed)
        teacher = built(folder / f"teacher-{seed}", (), seed + 1000)
    columns = {"path": str(path), "reference": "reference", "skills": "skills", "split_column": "split"}
    known = {"holes": list(holes), "sizes": {"retention": 200}, "seed": seed}
    return Place(
        str(student),
        str(teacher),
        {"name": "dataset", "options": columns},
        {"name": "forgetting_task:KnownRules", "options": known},
    )


def built(folder: Path, holes: Sequence[str], seed: int) -> Path:
    """Return a tiny student with these holes, pretrained the first time."""
    if not folder.exists():
        part = folder.with_suffix(".part")
        build_student_with_holes(part, holes, seed)
        part.rename(folder)
    return folder


def configuration(name: str, arm: str, seed: int, place: Place, rate: float | None) -> dict[str, Any]:
    """Return a run's configuration."""
    student = STUDENTS[name]
    teacher = {"name": "textbook", "options": {"grain": "place value"}} if name == "real" else {"name": "reference"}
    return {
        "name": "forgetting",
        "seed": seed,
        "student": {"model": place.student, "max_new_tokens": student.max_new_tokens},
        "task": place.task,
        "retention": {
            "task": place.retention,
            "samples": 3,
            "max_new_tokens": 20 if name == "real" else student.max_new_tokens,
            "rehearse": student.rehearse if ARMS[arm].replay else 0,
        },
        "exam": {"due": 0, "confirm": 0},
        "planner": {"name": "every", "options": {"once": True}},
        "plan": {"lessons": None},
        "teachers": [teacher],
        "teach": {"hears": [], "max_revisions": 0, "check": "answer"},
        "memory": {"recall": 0, "embedder": "static"},
        "training": {"worker": "inline", "stages": stages(student, arm, rate, place.teacher)},
        "gate": {"alpha": NEVER, "max_retention_drop": 1.0},
        "stop": {"cycles": 1},
    }


def measure(name: str, path: Path, place: Place, seed: int) -> dict[str, Any]:
    """Return what is reported of a run."""
    base, taught = tutelage.Result(path).reports
    if taught.verdict != "accepted":
        raise SystemExit(f"{path}: {taught.verdict} ({taught.why}); this bench keeps all")
    limit, asked = STUDENTS[name].max_new_tokens, general_prompts(name, seed, place)
    return {
        "base": round(base.accuracy[Split.GATE], 4),
        "target": round(taught.accuracy[Split.GATE], 4),
        "retention": round(taught.accuracy[Split.RETENTION], 4),
        "retention_n": taught.n[Split.RETENTION],
        "kl": round(kl_to_base(resolve_student(place.student), path / taught.student, asked, limit), 4),
        "stages": [{"stage": one.stage, "steps": one.steps, "metrics": one.metrics} for one in taught.training],
        "tokens": sum(one.tokens for one in taught.training),
        "seconds": round(sum(one.seconds for one in taught.training), 1),
    }


def general_prompts(name: str, seed: int, place: Place) -> list[list[dict[str, str]]]:
    """Return prompts that are neither taught nor rehearsed nor in the retention split."""
    options = place.retention["options"]
    task = QuizTask(**options) if name == "real" else KnownRules(**options)
    rest = task.rehearsal()[STUDENTS[name].rehearse :][:PROMPTS]
    return [student_prompt(task.instruction, question) for question in rest]


def run_arm(given: argparse.Namespace, arm: str, seed: int, rate: float | None) -> dict[str, Any]:
    """Run an arm, anew if it was begun before, and return what is reported of it."""
    place = prepare(given.student, seed, given.runs)
    path = given.runs / f"{arm.replace(', ', '-').replace(' ', '-')}-{seed}-{rate or 'chosen'}"
    shutil.rmtree(path, ignore_errors=True)
    tutelage.run(configuration(given.student, arm, seed, place, rate), run_dir=path)
    found = {"arm": arm, "seed": seed, "rate": rate, "commit": commit(), **measure(given.student, path, place, seed)}
    shutil.rmtree(path)
    return found


def terms(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Return all that must be the same where runs are added to these, as JSON has it."""
    arms = {run["arm"] for run in runs}
    student = STUDENTS[name]._asdict()
    student["rates"] = {arm: rate for arm, rate in student["rates"].items() if arm in arms}
    told = {"student": student, "arms": {arm: made for arm, made in ARMS.items() if arm in arms}}
    again: dict[str, Any] = json.loads(json.dumps({"terms": told}))
    return again


def order(run: Run) -> tuple[int, int, float]:
    """Return what runs are sorted by."""
    return list(ARMS).index(run["arm"]), run["seed"], run["rate"] or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", choices=STUDENTS)
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, help="all that the student has a learning rate for, if left out"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rates", type=float, nargs="+", default=[None], help="of the first stage, to choose by")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--runs", type=Path, help="a folder for the runs; runs/forgetting-STUDENT if left out")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.out = given.out or Path(f"bench/results/forgetting_{given.student}.json")
    given.runs = (given.runs or Path(f"runs/forgetting-{given.student}")).absolute()
    given.runs.mkdir(parents=True, exist_ok=True)
    command = f"OMP_NUM_THREADS=1 python bench/forgetting.py {given.student}"
    held = partial(terms, given.student)
    part, parts = map(int, given.part.split("/"))
    wanted = [
        (seed, arm, rate)
        for seed in given.seeds
        for arm in given.arms or STUDENTS[given.student].rates
        for rate in given.rates
    ]
    for seed, arm, rate in wanted[part - 1 :: parts]:
        if (seed, arm, rate) not in [(run["seed"], run["arm"], run["rate"]) for run in known_runs(given.out, held)]:
            run = run_arm(given, arm, seed, rate)
            add_run(given.out, run, held, {"command": command, **made_on(PACKAGES)}, order)
            print(json.dumps({key: value for key, value in run.items() if key != "stages"}), flush=True)


if __name__ == "__main__":
    main()
