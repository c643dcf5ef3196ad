"""Whether the diagnostician names the holes that students are known to have: its precision and recall.

    OMP_NUM_THREADS=1 python bench/holes.py tiny
    OMP_NUM_THREADS=1 python bench/holes.py real

A plant is a student that was taught ten rules but one to three (`tutelage.testing.build_student_with_holes`, or
`teach_all_but` for SmolLM2-135M). It answers 200 probe problems of one to three rules each, greedily; the diagnostician
with its defaults then reads all 200 answers, or the first 60, and its weaknesses are compared with the holes. Students
and answers are kept in `--plants`, so that what was begun goes on, and a diagnostician is measured again in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from made_on import made_on

from tutelage.agents.confirmation import KINDS, confirm
from tutelage.agents.student import TransformersEngine
from tutelage.graphs.exam import grade
from tutelage.graphs.step_check import StepCheck
from tutelage.plugins import Plugin, build
from tutelage.schema import BASE, Attempt, Diagnosis, Problem, Split
from tutelage.seams import Generation
from tutelage.student_prompt import student_prompt
from tutelage.testing.course import teach_all_but
from tutelage.testing.holes import build_student_with_holes, draw_holes
from tutelage.testing.rule_checker import RuleChecker
from tutelage.testing.rules import RulesTask

SIZES = (60, 200)
SEEDS = {"tiny": range(20), "real": range(3)}
BOOKS = {"tiny": "digits", "real": "strings"}
THRESHOLD, MIN_SUPPORT = 0.8, 3
"""Of the baseline that takes every skill with a low plain pass rate."""
FRESH = 8
"""Problems that each weakness is tested on, as a run does by default."""
MAX_NEW_TOKENS = 64

Found = dict[str, dict[str, list[str]]]
"""By number of answers and by column: the names."""


def make_plant(student: str, seed: int, folder: Path) -> Path:
    """Return a plant's folder, with the student in it and what building it took; made the first time."""
    if not folder.exists():
        part, holes = folder.with_suffix(".part"), draw_holes(seed)
        wall, cpu = time.perf_counter(), time.process_time()
        if student == "tiny":
            build_student_with_holes(part, holes, seed)
        else:
            teach_all_but(part, holes, seed)
        took = {"wall": round(time.perf_counter() - wall), "cpu": round(time.process_time() - cpu)}
        (part / "plant.json").write_text(json.dumps({"holes": holes, "seconds_to_build": took}))
        part.rename(folder)
    return folder


def task_of(student: str, seed: int) -> RulesTask:
    """Return what a plant is asked."""
    return RulesTask({Split.PROBE: max(SIZES)}, seed, book=BOOKS[student])


class Examiner:
    """Asks a planted student, and keeps what it has answered."""

    def __init__(self, folder: Path, task: RulesTask) -> None:
        self.task, self._folder, self._file = task, folder, folder / "answers.json"
        self._known: dict[str, list[Any]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def ask(self, problems: Sequence[Problem], split: Split = Split.PROBE) -> list[Attempt]:
        """Return the student's graded answers; greedy, so that each problem needs to be asked but once."""
        missing = [one for one in problems if one.question not in self._known]
        if missing:
            engine = TransformersEngine(self._folder, "cpu", "float32", max_new_tokens=MAX_NEW_TOKENS)
            prompts = [student_prompt(self.task.instruction, one.question) for one in missing]
            for one, (made,) in zip(missing, engine.generate(BASE, prompts), strict=True):
                self._known[one.question] = list(made)
            self._file.write_text(json.dumps(self._known))
        return [self._grade(one, Generation(*self._known[one.question]), split) for one in problems]

    def _grade(self, problem: Problem, made: Generation, split: Split) -> Attempt:
        return grade(self.task, problem, made, StepCheck(RuleChecker()), cycle=1, student=BASE, split=split)


def measure(student: str, seed: int, folder: Path) -> dict[str, Any]:
    """Diagnose a plant by every column."""
    plant, examiner = json.loads((folder / "plant.json").read_text()), Examiner(folder, task_of(student, seed))
    problems, holes = examiner.task.splits()[Split.PROBE], frozenset(plant["holes"])
    attempts = examiner.ask(problems)
    found = {size: name_holes(problems[:size], attempts[:size], len(holes)) for size in SIZES}
    fresh = {}
    for size, names in found.items():
        names["with steps, tested afresh"], fresh[str(size)] = self_check(problems[:size], attempts[:size], examiner)
    return {
        "seed": seed,
        "holes": sorted(holes),
        "seconds_to_build": plant["seconds_to_build"],
        "right": {
            "known rules only": _share_right(problems, attempts, lambda one: not holes & set(one.skills)),
            "a hole among the rules": _share_right(problems, attempts, lambda one: bool(holes & set(one.skills))),
        },
        "named": {str(size): dict(sorted(names.items())) for size, names in found.items()},
        "fresh_answers": fresh,
    }


def _share_right(problems: Sequence[Problem], attempts: Sequence[Attempt], wanted: Any) -> float:
    marks = [attempt.correct for problem, attempt in zip(problems, attempts, strict=True) if wanted(problem)]
    return round(statistics.mean(marks), 4)


def name_holes(problems: Sequence[Problem], attempts: Sequence[Attempt], count: int) -> dict[str, list[str]]:
    """Return what each column calls weak.

    Args:
        problems: Those asked.
        attempts: One a problem.
        count: How many holes there are, which only `most wrong answers` is told.
    """
    wrong, asked = Counter[str](), Counter[str]()
    for problem, attempt in zip(problems, attempts, strict=True):
        asked.update(problem.skills)
        wrong.update(problem.skills if not attempt.correct else ())
    low = [s for s in asked if asked[s] >= MIN_SUPPORT and 1 - wrong[s] / asked[s] < THRESHOLD]
    most = sorted(asked, key=lambda skill: (-wrong[skill], skill))[:count]
    stepless = [attempt.model_copy(update={"wrong_step": None}) for attempt in attempts]
    return {
        "with steps": diagnose(problems, attempts),
        "without steps": diagnose(problems, stepless),
        "most wrong answers": sorted(most),
        "pass rate below 0.8": sorted(low),
    }


def self_check(problems: Sequence[Problem], attempts: Sequence[Attempt], examiner: Examiner) -> tuple[list[str], int]:
    """Return the weaknesses that a test on fresh problems does not refute, and how many answers the test took."""
    found, names, count = _diagnosis(problems, attempts), list[str](), 0
    for number, weakness in enumerate(found.weaknesses):
        skill = None if weakness.name in KINDS else weakness.name
        fresh = examiner.task.fresh(skill, FRESH, number)
        answers = examiner.ask(fresh, Split.CHECK)
        verdict = confirm(weakness, list(zip(fresh, answers, strict=True)), found, THRESHOLD)
        count += len(fresh)
        names += [weakness.name] if verdict is None or verdict.confirmed else []
    return sorted(names), count


def diagnose(problems: Sequence[Problem], attempts: Sequence[Attempt]) -> list[str]:
    """Return the names of all weaknesses that the default diagnostician finds."""
    return sorted(weakness.name for weakness in _diagnosis(problems, attempts).weaknesses)


def _diagnosis(problems: Sequence[Problem], attempts: Sequence[Attempt]) -> Diagnosis:
    made: Diagnosis = build("diagnosticians", Plugin(name="skills")).diagnose(
        {one.id: one for one in problems}, attempts, []
    )
    return made


def score(plants: Iterable[tuple[Collection[str], Collection[str]]]) -> dict[str, float]:
    """Return precision and recall of names, pooled over plants and as means of the plants' own.

    A plant of which nothing is named has precision 0.
    """
    hits, named, holes, precisions, recalls = 0, 0, 0, list[float](), list[float]()
    for planted, found in plants:
        right = len(set(planted) & set(found))
        hits, named, holes = hits + right, named + len(found), holes + len(planted)
        precisions.append(right / len(found) if found else 0.0)
        recalls.append(right / len(planted))
    return {
        "precision": round(hits / named if named else 0.0, 4),
        "recall": round(hits / holes, 4),
        "mean_precision": round(statistics.mean(precisions), 4),
        "mean_recall": round(statistics.mean(recalls), 4),
    }


def summary(plants: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores by number of answers and by column."""
    return {
        size: {column: score((plant["holes"], plant["named"][size][column]) for plant in plants) for column in columns}
        for size, columns in plants[0]["named"].items()
    }


def write_report(student: str, folder: Path, seeds: Iterable[int], out: Path) -> dict[str, Any]:
    """Measure every plant that has answered, and write the report."""
    ready = [seed for seed in seeds if (folder / f"{student}-{seed}" / "answers.json").exists()]
    plants = [measure(student, seed, folder / f"{student}-{seed}") for seed in ready]
    report = {
        "command": f"OMP_NUM_THREADS=1 python bench/holes.py {student}",
        **made_on(("tutelage", "torch", "transformers", "trl")),
        "scores": summary(plants),
        "plants": plants,
    }
    out.write_text(json.dumps(report, indent=1) + "\n")
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", choices=sorted(SEEDS))
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--part", default="1/1", help="such as 1/2: every second plant, for two processes")
    parser.add_argument("--plants", type=Path, default=Path("runs/holes"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.plants.mkdir(parents=True, exist_ok=True)
    out, seeds = given.out or Path(f"bench/results/holes_{given.student}.json"), given.seeds or SEEDS[given.student]
    part, parts = map(int, given.part.split("/"))
    for seed in list(seeds)[part - 1 :: parts]:
        folder = make_plant(given.student, seed, given.plants / f"{given.student}-{seed}")
        task = task_of(given.student, seed)
        Examiner(folder, task).ask(task.splits()[Split.PROBE])
        with FileLock(out.with_suffix(".lock")):
            report = write_report(given.student, given.plants, seeds, out)
        print(json.dumps(report["plants"][-1]), flush=True)
    print(json.dumps(report["scores"], indent=1))


if __name__ == "__main__":
    main()
