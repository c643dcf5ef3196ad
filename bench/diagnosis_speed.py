"""How long does it take to diagnose 100,000 attempts? Each problem needs one to four of 40 or 1,000 skills.

Half of the wrong answers have a known wrong step: an equation of a worked solution, after others that hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from pathlib import Path

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.arithmetic import PREREQUISITES, SKILLS
from tutelage.schema import Attempt, Problem, Split, WrongStep

OUT = Path(__file__).parent / "results" / "diagnosis_speed.json"
EQUATIONS = {
    "addition with carry": "17 + 8 = {}25",
    "addition without carry": "12 + 3 = {}15",
    "subtraction with borrow": "31 - 6 = {}25",
    "subtraction without borrow": "38 - 6 = {}32",
    "multiplication by one digit": "12 * 4 = {}48",
    "long multiplication": "12 * 14 = {}168",
    "division": "48 / 4 = {}12",
}
"""An equation that needs each skill; a digit in the braces makes it wrong."""


def make(count: int, skills: int, seed: int) -> tuple[dict[str, Problem], list[Attempt]]:
    """Return as many problems and answers; skills beyond arithmetic's are not read from equations."""
    rng = random.Random(seed)
    names = [*sorted(SKILLS), *(f"skill {n}" for n in range(skills - len(SKILLS)))]
    rates = {name: rng.uniform(0.4, 0.98) for name in names}
    problems, attempts = {}, []
    for number in range(count):
        needed = tuple(sorted(rng.sample(names, rng.randint(1, 4))))
        problems[f"p{number}"] = Problem(id=f"p{number}", question=f"question {number}", answer="a", skills=needed)
        attempts.append(_answer(number, rng.sample(needed, len(needed)), rates, rng))
    return problems, attempts


def _answer(number: int, order: list[str], rates: dict[str, float], rng: random.Random) -> Attempt:
    failed = next((skill for skill in order if rng.random() >= rates[skill]), None)
    step, text = None, "Answer: a"
    if failed is not None and rng.random() < 0.5:
        before = [EQUATIONS[skill].format("") for skill in order[: order.index(failed)] if skill in EQUATIONS]
        start = len(". ".join([*before, ""]))
        wrong = EQUATIONS.get(failed, "1 + 1 = {}2").format("1")
        text = ". ".join([*before, wrong]) + ".\nAnswer: b"
        step = WrongStep(kind="equation", start=start, end=start + len(wrong), expected="25", found="125", skill=failed)
    return Attempt(
        id=f"a{number}",
        problem_id=f"p{number}",
        split=Split.PROBE,
        cycle=1,
        student="base",
        text=text,
        answer="a" if failed is None else "b",
        score=float(failed is None),
        correct=failed is None,
        logprob=-1.0,
        tokens=20,
        finish_reason="stop",
        wrong_step=step,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    rows = []
    for skills in (40, 1000):
        problems, attempts = make(arguments.attempts, skills, seed=0)
        load = os.getloadavg()[0]
        begun, used = time.perf_counter(), time.process_time()
        diagnosis = SkillDiagnostician(task_prerequisites=PREREQUISITES).diagnose(problems, attempts, ())
        rows.append(
            {
                "attempts": len(attempts),
                "skills": skills,
                "wrong": sum(not attempt.correct for attempt in attempts),
                "steps_known": sum(attempt.wrong_step is not None for attempt in attempts),
                "weaknesses": len(diagnosis.weaknesses),
                "wall_seconds": round(time.perf_counter() - begun, 1),
                "cpu_seconds": round(time.process_time() - used, 1),
                "load_before": round(load, 1),
            }
        )
        print(json.dumps(rows[-1]))
    command = f"python bench/diagnosis_speed.py --attempts {arguments.attempts}"
    threads = os.environ.get("OMP_NUM_THREADS")
    machine = {"cores": os.cpu_count(), "threads": threads, "python": platform.python_version()}
    arguments.out.write_text(json.dumps({"command": command, **machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
