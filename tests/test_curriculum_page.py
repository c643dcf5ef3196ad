"""The page on the curriculum says what was measured, and its mix is one."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tutelage.plugins import Plugin, build, installed
from tutelage.seams import Planner

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/curriculum.md").read_text()


def test_every_planner_is_on_the_page() -> None:
    names = [row.name for row in installed() if row.seam == "planners" and row.package == "tutelage"]
    assert len(names) >= 9
    assert all(f"\n| `{name}` | " in PAGE for name in names)


def test_the_figures_of_planning_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench/results/planning_speed.json").read_text())
    assert measured["sizes"] == {"skills": 1000, "problems": 20000, "attempts": 20000, "lessons": 2000, "repeats": 5}
    for name, figures in measured["planners"].items():
        row = [figures[key] for key in ("wall_seconds", "worst_wall_seconds", "cpu_seconds")]
        assert f"| `{name}` | " + " | ".join(f"{value:.2f}" for value in row) + " |" in PAGE
        assert figures["cpu_seconds"] < 2 and figures["worst_wall_seconds"] < 2
    assert f"load average {measured['load']['before']}" in PAGE


def test_the_mix_on_the_page_can_be_made() -> None:
    block = PAGE.split("```yaml\n")[1].split("```")[0]
    assert isinstance(build("planners", Plugin(**yaml.safe_load(block)["planner"])), Planner)
