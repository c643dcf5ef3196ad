"""Measure the check of rationales: what it turns away of a data set's own, and of the same with a fault planted.

    python bench/judge.py --n 1000 --seed 11 --out bench/results/judge.json

The rationales are those of reasoning_gym's `gsm_symbolic`, with the gold answer as their last line. No model, no GPU.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reasoning_gym
from made_on import made_on

from tutelage.agents.steps.checker import ArithmeticChecker
from tutelage.answers import extract_answer, same
from tutelage.graphs.lesson.judge import judge
from tutelage.schema import Grade, Problem

PACKAGES = ("tutelage", "reasoning-gym")
RESULT = re.compile(r"= [$€£]?(\d+)(?!\d|[.,]\d|\s*[-+*/x=%])")
"""The result of an equation."""

Fault = Callable[[str, str, random.Random], str | None]
"""Makes a faulty text of a rationale without its answer line and of its answer; None if the fault cannot be planted."""


class LastLine:
    """Grades the last `Answer:`."""

    def grade(self, problem: Problem, text: str) -> Grade:
        """Compare it with the gold answer."""
        answer = extract_answer(text)
        return Grade(answer, float(answer is not None and same(answer, problem.answer)))


def sound(steps: str, answer: str, draw: random.Random) -> str | None:
    return f"{steps}\nAnswer: {answer}"


def wrong_conclusion(steps: str, answer: str, draw: random.Random) -> str | None:
    return f"{steps}\nAnswer: {int(answer) + draw.randint(1, 9)}"


def wrong_result(steps: str, answer: str, draw: random.Random) -> str | None:
    found = list(RESULT.finditer(steps))
    if not found:
        return None
    slip = draw.choice(found)
    return f"{steps[: slip.start(1)]}{int(slip[1]) + draw.randint(1, 9)}{steps[slip.end(1) :]}\nAnswer: {answer}"


def goes_on(steps: str, answer: str, draw: random.Random) -> str | None:
    more = draw.randint(2, 9)
    return f"{steps}\n{answer} + {more} = {int(answer) + more}\nAnswer: {answer}"


def declares_another(steps: str, answer: str, draw: random.Random) -> str | None:
    return f"{steps}\nThe answer is {int(answer) + draw.randint(1, 9)}.\nAnswer: {answer}"


def answer_only(steps: str, answer: str, draw: random.Random) -> str | None:
    return (
        f"{draw.choice(['It is', 'The answer is', 'So the result is', 'Let me solve it:'])} {answer}.\nAnswer: {answer}"
    )


FAULTS: tuple[Fault, ...] = (sound, wrong_conclusion, wrong_result, goes_on, declares_another, answer_only)


def measure(n: int, seed: int) -> dict[str, Any]:
    draw, task = random.Random(seed), LastLine()
    counts = {fault.__name__: Counter[str]() for fault in FAULTS}
    seconds = 0.0
    for row in reasoning_gym.create_dataset("gsm_symbolic", size=n, seed=seed):
        answer = str(row["answer"])
        if not answer.isdigit():
            continue  # the faults are planted in whole numbers
        problem = Problem(question=row["question"], answer=answer)
        steps = row["metadata"]["answer_cot"].rpartition("\n####")[0]
        for fault in FAULTS:
            text = fault(steps, answer, draw)
            if text is None:
                continue
            began = time.perf_counter()
            reason = judge(task, problem, text, ArithmeticChecker()).reason  # type: ignore[arg-type]
            seconds += time.perf_counter() - began
            counts[fault.__name__][reason or "passed"] += 1
    judged = sum(sum(some.values()) for some in counts.values())
    return {
        "reasons": {name: dict(some.most_common()) for name, some in counts.items()},
        "ms_a_text": round(1000 * seconds / judged, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    result = {
        "command": " ".join(["python", "bench/judge.py", *sys.argv[1:]]),
        **measure(given.n, given.seed),
        **made_on(PACKAGES),
    }
    text = json.dumps(result, indent=1) + "\n"
    if given.out:
        given.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
