"""The tables of the bench of forgetting: means over seeds, and which learning rates are compared."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TPSFT = "tpsft, all layers"


@pytest.fixture(scope="module")
def report() -> Any:
    """Return the names of the script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "bench"))
        yield runpy.run_path(str(ROOT / "bench/forgetting_report.py"))


def run(arm: str, rate: float | None, target: float, retention: float, seed: int = 0) -> dict[str, Any]:
    found = {"target": target, "retention": retention, "kl": 0.1, "tokens": 2000, "seconds": 3.2}
    return {"arm": arm, "rate": rate, "seed": seed, **found}


DEV = [
    run("sft", 1e-4, 0.40, 0.95),
    run("sft", 2e-4, 0.55, 0.70, seed=0),
    run("sft", 2e-4, 0.65, 0.60, seed=1),
    run("sft", 4e-4, 0.50, 0.50),
    run(TPSFT, 1e-4, 0.56, 0.96),
    run(TPSFT, 2e-4, 0.58, 0.90),
    run(TPSFT, 4e-4, 0.70, 0.80),
]


def test_the_gentlest_tpsft_that_reaches_the_best_sft_is_compared(report: Any) -> None:
    assert report["chosen_pair"](DEV) == (2e-4, 2e-4)  # 0.56 is less than 0.95 of 0.60


def test_where_none_reaches_it_the_best_is(report: Any) -> None:
    assert report["chosen_pair"](DEV[:5]) == (2e-4, 1e-4)


def test_target_and_loss_are_compared_as_shares(report: Any) -> None:
    target, loss = report["compared"](report["of_arm"](DEV, TPSFT, 4e-4), report["of_arm"](DEV, "sft", 2e-4))
    assert (target, loss) == pytest.approx((0.70 / 0.60, 0.20 / 0.35))


def test_the_verdict_chooses_by_other_runs_than_it_reports(report: Any) -> None:
    runs = [run("sft", 2e-4, 0.5, 0.6), run(TPSFT, 2e-4, 0.5, 0.9), run(TPSFT, 4e-4, 0.5, 1.0)]
    assert (
        report["verdict"](runs, DEV) == f"{TPSFT} at 0.0002 against sft at 0.0002: 1.00 of its target, 0.25 of its loss"
    )


def test_the_table_has_arms_at_their_chosen_rate_and_the_curve_has_the_others(report: Any) -> None:
    runs = [*DEV, run("sft", None, 0.5, 0.9, seed=0), run("sft", None, 0.7, 0.8, seed=1)]
    rows = report["table"](runs).splitlines()
    assert rows[2:] == ["| sft | 0.600 | 0.50, 0.70 | 0.850 | 0.90, 0.80 | 0.100 | 2,000 | 3 |"]
    curve = report["curve"](runs).splitlines()
    assert len(curve) == 2 + 3
    assert curve[3] == "| 0.0002 | 0.600 | 0.650 | 0.100 | 0.580 | 0.900 | 0.100 |"
