"""How often a test on fresh problems confirms a weakness or refutes it, by the true pass rate of the skill.

    python bench/confirmation.py --out bench/results/confirmation.json

A spurious weakness should be refuted, a true one confirmed. `alone`: each problem needs this skill only. In the other
two every second problem also needs a hole, a skill that the student has right in one of five, and whose step comes
first or last by a coin: `located` knows the step that went wrong, `unlocated` only that the answer is wrong.

`silent` and `pattern` need this skill only, but three in ten answers end without a final answer, an error pattern that
the diagnosis names. In `silent` the skill's own failures end without one, too, so that nothing tells them apart; in
`pattern` they are a wrong step at the skill.

Each cell has the shares of 4,000 simulated tests that confirm and that refute (standard errors at most 0.8 points), by
the rule of `tutelage.agents.confirmation`; the rest has no verdict.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from made_on import made_on

from tutelage.agents.confirmation import MASTERED, Answer, confirm
from tutelage.schema import Attempt, Diagnosis, Mastery, Problem, Split, Weakness, WrongStep

SKILL, HOLE = "the skill", "the hole"
HOLE_RATE = 0.2
PATTERN, ANSWERED = "giving a final answer", 0.7
TESTS = 4000
COUNTS = (4, 8, 16)
RATES = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
SETTINGS = ("alone", "located", "unlocated", "silent", "pattern")
WEAKNESS = Weakness(name=SKILL, pass_rate=0.5, support=10, severity=0.1)
DIAGNOSIS = Diagnosis(
    cycle=1,
    student="base",
    accuracy=0.5,
    weaknesses=(WEAKNESS,),
    mastery=(Mastery(skill=HOLE, alpha=20 * HOLE_RATE, beta=20 * (1 - HOLE_RATE)),),
)
WITH_PATTERN = DIAGNOSIS.model_copy(
    update={"weaknesses": (Weakness(name=PATTERN, pass_rate=ANSWERED, support=100, severity=0.3), WEAKNESS)}
)


def answered(n: int, setting: str, rate: float, draw: np.random.Generator) -> Answer:
    """Return one simulated answer to the n-th fresh problem."""
    steps = [SKILL, HOLE] if setting in ("located", "unlocated") and n % 2 else [SKILL]
    chances = {SKILL: rate, HOLE: HOLE_RATE, PATTERN: ANSWERED}
    order = [steps[int(at)] for at in draw.permutation(len(steps))]
    order = [PATTERN, *order] if setting in ("silent", "pattern") else order
    failed = next((step for step in order if draw.random() >= chances[step]), None)
    silent = failed is not None and (failed == PATTERN or setting == "silent")
    named = None if silent or setting == "unlocated" else failed
    kind = "format" if silent else "equation"
    wrong = WrongStep(kind=kind, start=0, end=1, expected="1", found="2", skill=named) if failed else None
    problem = Problem(id=str(n), question="?", answer="1", skills=tuple(steps))
    attempt = Attempt(
        id=str(n),
        problem_id=problem.id,
        split=Split.CHECK,
        cycle=1,
        student="base",
        text="1=2",
        answer=None if silent else "1",
        score=float(failed is None),
        correct=failed is None,
        logprob=0.0,
        tokens=1,
        finish_reason="stop",
        wrong_step=wrong,
    )
    return problem, attempt


def verdicts(setting: str, count: int, rate: float, draw: np.random.Generator) -> dict[str, float]:
    """Return the shares of tests of so many fresh problems that confirm and that refute the weakness."""
    found = []
    for _ in range(TESTS):
        answers = [answered(n, setting, rate, draw) for n in range(count)]
        verdict = confirm(WEAKNESS, answers, WITH_PATTERN if setting in ("silent", "pattern") else DIAGNOSIS)
        found.append(verdict and verdict.confirmed)
    return {"confirmed": round(found.count(True) / TESTS, 3), "refuted": round(found.count(False) / TESTS, 3)}


def measure() -> dict[str, Any]:
    """Return the shares by setting, number of fresh problems and true pass rate."""
    shares: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for place, setting in enumerate(SETTINGS):
        for count in COUNTS:
            cells = {}
            for rate in RATES:
                draw = np.random.default_rng([place, count, int(100 * rate)])
                cells[f"{rate:.2f}"] = verdicts(setting, count, rate, draw)
            shares.setdefault(setting, {})[str(count)] = cells
    return {
        "command": "python bench/confirmation.py --out bench/results/confirmation.json",
        **made_on(("tutelage", "numpy")),
        "tests_a_cell": TESTS,
        "threshold": MASTERED,
        "hole_pass_rate": HOLE_RATE,
        "pattern_pass_rate": ANSWERED,
        "verdicts": shares,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.write_text(json.dumps(measure(), indent=1) + "\n")


if __name__ == "__main__":
    main()
