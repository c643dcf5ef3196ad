"""How well are planted holes named on simulated students, with and without known steps? 200 plants, a minute.

A plant knows all but one to three of ten rules, slips in 3 to 10 % of the times that it applies one it knows, and is
right in 10 % of its answers although a step was wrong. Problems need one to three rules. The defaults were tuned on
seeds 100 to 199; the reported ones are 1,000 to 1,199.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from made_on import made_on

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.schema import Attempt, Diagnosis, Problem, Weakness
from tutelage.testing.simulated import HoleScore, score_holes

OUT = Path(__file__).parent / "results" / "diagnosis_simulated.json"
COUNTS, TELLS = (60, 200), (0.0, 0.5, 1.0)


class PlainPassRates:
    """What is compared with: a skill is weak if less than four in five of the problems that need it are right."""

    def diagnose(
        self, problems: Mapping[str, Problem], attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]
    ) -> Diagnosis:
        """Count."""
        tried = Counter[str](skill for attempt in attempts for skill in problems[attempt.problem_id].skills)
        right = Counter[str](s for one in attempts if one.correct for s in problems[one.problem_id].skills)
        weak = [
            Weakness(name=skill, pass_rate=right[skill] / n, support=n, severity=0.0)
            for skill, n in sorted(tried.items())
            if right[skill] / n < 0.8
        ]
        return Diagnosis(cycle=1, student="base", accuracy=0.0, weaknesses=tuple(weak), mastery=())


def row(score: HoleScore) -> dict[str, Any]:
    return {**score._asdict(), "precision": round(score.precision, 3), "recall": round(score.recall, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first plant")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.plants)
    diagnosticians = {"attributed": SkillDiagnostician(), "plain pass rates": PlainPassRates()}
    found = [
        {"diagnostician": name, "answers": count, "steps_known": tell, **row(score_holes(one, seeds, count, tell))}
        for name, one in diagnosticians.items()
        for count in COUNTS
        for tell in (TELLS if name == "attributed" else (0.0,))
    ]
    command = f"python bench/diagnosis_simulated.py --plants {arguments.plants} --first {arguments.first}"
    result = {"command": command, **made_on(("tutelage", "numpy", "scipy")), "rows": found}
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    for one in found:
        print(json.dumps(one))


if __name__ == "__main__":
    main()
