"""The page on wrong steps says what was measured, and its examples hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tutelage.agents.steps import find_wrong_step

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/steps.md").read_text()
MEASURED = json.loads((ROOT / "bench/results/step_finder.json").read_text())


def test_the_figures_of_the_finder_are_those_that_were_measured() -> None:
    planted = MEASURED["planted"]
    rows = {"all": planted}
    rows |= {f"`{name[5:]}`": row for name, row in planted["by"].items() if name.startswith("kind ")}
    assert len(rows) == 7
    for name, row in rows.items():
        assert f"| {name} | {row['n']} | {row['precision']:.3f} | {row['recall']:.3f} |" in PAGE
    said = " ".join(PAGE.split())
    values = planted["values_named"]
    assert f"should stand there in {values['right']} of the {values['n']} found" in said
    references = MEASURED["references"]
    assert f"On the right solutions: {MEASURED['right']['false_alarms']} false alarms of 1,000" in said
    assert f"as they are: {references['false_alarms']} false alarms, and " in said
    assert f"and {references['alarms_on_wrong_references']} alarms that are right" in said
    assert f"an inexact result in {references['with_a_wrong_equation']} of them" in said
    assert f"{MEASURED['ms_a_text']} ms, at a load average of {MEASURED['load_average']}" in said


def test_what_was_asked_of_the_finder_is_kept() -> None:
    planted, slips = MEASURED["planted"], [k for k in MEASURED["planted"]["by"] if k.startswith("slip ")]
    tasks = [k for k in planted["by"] if k.startswith("task ")]
    assert planted["n"] == MEASURED["right"]["n"] == MEASURED["references"]["n"] == 1000
    assert f"nine reasoning-gym tasks with one planted slip of {len(slips)} kinds" in PAGE and len(tasks) == 9
    assert planted["precision"] >= 0.95 <= planted["recall"]
    assert MEASURED["right"]["false_alarms"] == MEASURED["references"]["false_alarms"] == 0
    assert MEASURED["seed"] != MEASURED["developed_on_seed"]


def test_the_example_of_the_page_runs() -> None:
    exec(PAGE.split("```python\n")[1].split("```")[0], {})


@pytest.mark.parametrize(
    "row", re.findall(r"^\| `(equation|copied|answer)` \| [a-z].* \| (`.*) \|$", PAGE, re.MULTILINE)
)
def test_the_examples_of_the_kinds_hold(row: tuple[str, str]) -> None:
    kind, examples = row
    texts = re.findall(r"`([^`]+)`", examples.split(" for ")[0])
    assert texts
    for text in texts:
        step = find_wrong_step("What is 51 - 26?" if "51" in text else "A story.", f"{text}. Answer: 1")
        assert step is not None and step.kind == kind


@pytest.mark.parametrize("text", ["100 / 3 = 33.3", "5 + 3 = 8 - 2 = 6", "1 hour - 15 minutes = 45 minutes"])
def test_what_the_page_says_raises_no_alarm_raises_none(text: str) -> None:
    assert f"`{text}`" in " ".join(PAGE.split())
    assert find_wrong_step("A story.", f"{text}. Answer: yes") is None
