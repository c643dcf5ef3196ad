"""How many students does it take to estimate prerequisites? A planted chain of four skills and an unrelated one."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from made_on import made_on

from tutelage.agents.prerequisites import estimate_prerequisites
from tutelage.testing.simulated import CHAIN, draw_outcomes

OUT = Path(__file__).parent / "results" / "prerequisites_simulated.json"
STUDENTS, DRAWS = (20, 40, 60, 100), 50


def main() -> None:
    planted = set(pairwise(CHAIN))
    rows = []
    for students in STUDENTS:
        found = [estimate_prerequisites(draw_outcomes(students, seed)) for seed in range(1000, 1000 + DRAWS)]
        edges = [{(needed, skill) for skill, several in one.items() for needed in several} for one in found]
        right, named = sum(len(some & planted) for some in edges), sum(map(len, edges))
        precision, recall = right / named if named else 1.0, right / (DRAWS * len(planted))
        row = {"students": students, "precision": round(precision, 3), "recall": round(recall, 3)}
        rows.append({**row, "exact": sum(some == planted for some in edges) / DRAWS})
        print(json.dumps(rows[-1]))
    report = {
        "command": "python bench/prerequisites_simulated.py",
        **made_on(("tutelage", "numpy", "scipy")),
        "rows": rows,
    }
    OUT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
