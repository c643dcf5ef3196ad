"""Measure the wrong-step finder: solutions with one planted slip each, and right ones.

    python bench/step_finder.py --seed 0 --out bench/results/step_finder.json

A planted slip counts as found if the finder names its kind and a span that touches it; an alarm that does not is a
false one. Recall is found / planted, precision found / alarms. `values_named` counts, of those found in which a number
is wrong, how many are named with the number that should stand there and the one that does. Nothing but Python and
reasoning_gym: no model, no GPU. The finder was developed on seed 100; the figures are those of another.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import slips as planting
from made_on import made_on
from rationales import OTHERS, PERCENT, Rationale, plant_in, rationales
from slips import Slip, plant, write_right
from worked import TASKS, Problem, problems

from tutelage.agents.steps import find_wrong_step
from tutelage.arithmetic import as_text
from tutelage.schema import WrongStep

STORIES = "gsm_symbolic"
NAMES = (*planting.RESULTS, PERCENT, *planting.COPIES, *planting.OTHERS)
"""The kinds of slips, planted in equal numbers as far as there is occasion for them."""


class Watch:
    """Calls the finder and counts its time.

    Attributes:
        seconds: What the calls took.
        texts: How many there were.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self.seconds, self.texts = 0.0, 0

    def find(self, question: str, text: str, truncated: bool = False) -> WrongStep | None:
        """Find the first wrong step."""
        began = time.perf_counter()
        found = find_wrong_step(question, text, truncated)
        self.seconds += time.perf_counter() - began
        self.texts += 1
        return found


def planted(n: int, seed: int) -> Iterator[tuple[str, Slip]]:
    """Yield the task and the slip of solutions with one slip each: the kinds in turn, task and problem drawn."""
    rng = random.Random(seed)
    drawn: dict[str, Iterator[Any]] = {task: cycle(problems(task, n, seed)) for task in TASKS}
    drawn[STORIES] = cycle(one for one in rationales(2 * n, seed) if holds(one))
    names = cycle(NAMES)
    while n:
        slip, task = _next_slip(next(names), drawn, rng)
        if slip is not None:
            yield task, slip
            n -= 1


def _next_slip(name: str, drawn: dict[str, Iterator[Any]], rng: random.Random) -> tuple[Slip | None, str]:
    """Try tasks until one gives occasion for a slip."""
    tasks = [task for task in drawn if _possible(name, task)]
    for _ in range(200):
        task = rng.choice(tasks)
        given = next(drawn[task])
        slip = plant_in(name, given, rng) if task == STORIES else plant(name, given, rng)
        if slip is not None:
            return slip, task
    return None, ""


def _possible(name: str, task: str) -> bool:
    return name in (*planting.RESULTS, PERCENT, *planting.COPIES, *OTHERS) if task == STORIES else name != PERCENT


def holds(rationale: Rationale) -> bool:
    """Whether no equation of a reference solution is wrong."""
    return not any(rationale.wrong_equations())


def right(n: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield the task, question and text of right solutions, as many of each task."""
    rng = random.Random(seed)
    written: dict[str, Iterator[Problem]] = {task: cycle(problems(task, n, seed + 1)) for task in TASKS}
    stories = iter([one for one in rationales(n, seed + 1) if holds(one)])
    for at in range(n):
        task = (*TASKS, STORIES)[at % (len(TASKS) + 1)]
        if task == STORIES:
            story = next(stories)
            yield task, story.question, story.text
        else:
            problem = next(written[task])
            yield task, problem.question, write_right(problem, rng).text


def measure_planted(n: int, seed: int, watch: Watch) -> dict[str, Any]:
    """Count what is found of planted slips, in all, by slip and by task."""
    counts: dict[str, Counter[str]] = {}
    values: Counter[bool] = Counter()
    missed: list[dict[str, Any]] = []
    for task, slip in planted(n, seed):
        found = watch.find(slip.question, slip.text, slip.truncated)
        outcome = judged(found, slip)
        if found is not None and outcome == "found" and slip.values:
            values[(found.expected, found.found) == tuple(map(as_text, slip.values))] += 1
        for name in ("all", f"slip {slip.name}", f"task {task}", f"kind {slip.kind}"):
            counts.setdefault(name, Counter())[outcome] += 1
        if outcome != "found" and len(missed) < 20:
            missed.append({"slip": slip.name, "task": task, "outcome": outcome, "text": slip.text[-300:]})
    rows = {name: scored(some) for name, some in sorted(counts.items())}
    named = {"n": values.total(), "right": values[True]}
    return {**rows.pop("all"), "values_named": named, "by": rows, "some_not_found": missed}


def judged(found: WrongStep | None, slip: Slip) -> str:
    """Say whether a slip was found, missed, or something else was."""
    if found is None:
        return "missed"
    hit = found.kind == slip.kind and found.start <= slip.end and slip.start <= found.end
    return "found" if hit else "elsewhere"


def scored(counts: Counter[str]) -> dict[str, Any]:
    """Return precision and recall."""
    alarms, total = counts["found"] + counts["elsewhere"], counts.total()
    precision = round(counts["found"] / alarms, 4) if alarms else None
    return {"n": total, "precision": precision, "recall": round(counts["found"] / total, 4), **dict(counts)}


def measure_right(texts: Iterable[tuple[str, str, str]], watch: Watch) -> dict[str, Any]:
    """Count the alarms on right solutions."""
    by_task, alarms = Counter[str](), []
    for task, question, text in texts:
        by_task[task] += 1
        if step := watch.find(question, text):
            alarms.append({"task": task, "kind": step.kind, "at": text[step.start : step.end]})
    return {"n": by_task.total(), "false_alarms": len(alarms), "by_task": dict(by_task), "alarms": alarms}


def measure_references(n: int, seed: int, watch: Watch) -> dict[str, Any]:
    """Count the alarms on all reference solutions; each is said to be true if the equation it names is wrong."""
    alarms, false, wrong = [], 0, 0
    for at, one in enumerate(rationales(n, seed)):
        wrong += not holds(one)
        step = watch.find(one.question, one.text)
        if step is not None:
            said = one.text[step.start : step.end]
            truly = step.kind == "equation" and any(said in wrong or wrong in said for wrong in one.wrong_equations())
            false += not truly
            alarms.append({"index": at, "kind": step.kind, "at": said, "exact": step.expected, "truly_wrong": truly})
    return {
        "n": n,
        "with_a_wrong_equation": wrong,
        "alarms_on_wrong_references": len(alarms) - false,
        "false_alarms": false,
        "alarms": alarms,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    watch = Watch()
    result = {
        "command": " ".join(["python", "bench/step_finder.py", *sys.argv[1:]]),
        "seed": given.seed,
        "developed_on_seed": 100,
        "planted": measure_planted(given.n, given.seed, watch),
        "right": measure_right(right(given.n, given.seed), watch),
        "references": measure_references(given.n, given.seed, watch),
        "ms_a_text": round(1000 * watch.seconds / watch.texts, 2),
        **made_on(("tutelage", "reasoning-gym")),
    }
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if given.out:
        given.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
