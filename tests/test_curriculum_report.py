"""The table of the bench of planners: means over the same pools and seeds, gains over `uniform`."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def report() -> Any:
    """Return the names of the script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "bench"))
        yield runpy.run_path(str(ROOT / "bench/curriculum_report.py"))


def run(planner: str, pool: str, seed: int, *accuracies: float) -> dict[str, Any]:
    cycles = [
        {"accuracy": one, "by_skill": {"subtraction with borrow": one / 2}, "calls": 10, "tokens": 100}
        for one in accuracies
    ]
    return {"planner": planner, "pool": pool, "seed": seed, "cycles": cycles}


RUNS = [
    run("uniform", "balanced", 0, 0.4, 0.5, 0.6),
    run("uniform", "balanced", 1, 0.4, 0.5, 0.6),
    run("uniform", "long-tailed", 0, 0.4, 0.3, 0.2),
    run("paced", "balanced", 0, 0.4, 0.5, 0.7),
    run("paced", "balanced", 1, 0.4, 0.5, 0.5),
    run("paced", "long-tailed", 0, 0.4, 0.5, 0.5),
    run("paced", "long-tailed", 1, 0.4, 0.9, 0.9),
]


def test_means_are_over_pools_and_seeds_that_all_planners_have(report: Any) -> None:
    some = report["shared"](RUNS)
    assert [one for one in RUNS if one not in some] == [RUNS[-1]]


def test_planners_are_ranked_by_their_last_students(report: Any) -> None:
    some = report["shared"](RUNS)
    assert report["ranking"](some) == ["paced", "uniform"]
    assert report["ranking"](some, "balanced") == ["uniform", "paced"]  # equal: in the order of the bench
    assert report["gains"](some, "both", "paced") == [0.1, -0.1, 0.3]
    assert report["gains"](some, "long-tailed", "paced") == [0.3]


def test_the_table_has_a_row_for_each_pool_and_planner(report: Any) -> None:
    rows = report["table"](report["shared"](RUNS)).splitlines()
    assert len(rows) == 2 + 6
    assert rows[2] == "| both | `paced` | 0.400 | **0.567** |  | +0.100 | 2 of 3 | 0.533 | 0.283 | 30 | 300 |"
    assert rows[4] == "| balanced | `uniform` | 0.400 | **0.600** | 0.000 |  |  | 0.550 | 0.300 | 30 | 300 |"


def test_a_report_without_the_baseline_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"runs": RUNS[3:]}))
    done = subprocess.run(
        [sys.executable, ROOT / "bench/curriculum_report.py", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "has no pool and seed that all planners have" in done.stderr
