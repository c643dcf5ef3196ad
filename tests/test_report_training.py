"""What a run's page tells of its training and settings, and how its charts are drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutelage import jsonl
from tutelage.blacking import blacked_yaml
from tutelage.errors import RunError
from tutelage.report.charts import MASTERY_COLOURS, bars, mastery_map
from tutelage.report.figures import percent, points
from tutelage.report.training import loss_chart, read_curves, stages, thinned
from tutelage.rundir import RunDir
from tutelage.schema import CycleReport, Diagnosis, Mastery, TrainingReport, Verdict


def leave(rundir: RunDir, checkpoint: str, losses: list[Any], stage: str = "sft") -> Path:
    path = rundir.checkpoints / checkpoint / "losses.json"
    jsonl.write_json(path, {"schema": 1, "stage": stage, "losses": losses})
    return path


def test_the_losses_of_each_stage_are_drawn_in_their_order(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    assert loss_chart(rundir).rows == ()
    leave(rundir, "cycle-002", [0.5, 0.25], "<i>dpo")
    leave(rundir, "cycle-010", [0.1])
    leave(rundir, "cycle-002-stage-0", [2.0, 1.0, 1.5])
    leave(rundir, "cycle-003.partial", [9.0])
    (rundir.checkpoints / "cycle-001").mkdir()
    chart = loss_chart(rundir)
    assert chart.rows == (
        ("cycle 2, sft", "3", "2.0000", "1.0000", "1.5000"),
        ("cycle 2, <i>dpo", "2", "0.5000", "0.2500", "0.2500"),
        ("cycle 10, sft", "1", "0.1000", "0.1000", "0.1000"),
    )
    first, second, _ = chart.figure["data"]
    assert (list(first["x"]), list(first["y"])) == ([1, 2, 3], [2.0, 1.0, 1.5])
    assert second["name"] == "cycle 2, &lt;i&gt;dpo" and chart.title == "Loss of each training, by step"


def test_a_long_training_is_drawn_by_means_and_told_to_be(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    leave(rundir, "cycle-001", [float(step % 2) for step in range(100_000)])
    chart = loss_chart(rundir)
    (line,) = chart.figure["data"]
    assert len(line["x"]) <= 300 and line["mode"] == "lines" and "in means of several steps" in chart.title
    assert thinned([1.0, 2.0, 3.0]) == ([1, 2, 3], [1.0, 2.0, 3.0])
    middles, means = thinned([0.0, 1.0] * 300 + [5.0])
    assert (middles[0], means[0]) == (2.0, pytest.approx(1 / 3, abs=1e-4)) and means[-1] == 5.0


def test_a_loss_that_is_not_finite_is_a_gap_and_no_invalid_json(tmp_path: Path) -> None:
    rundir = RunDir(tmp_path)
    leave(rundir, "cycle-001", [2.0, float("nan"), 1.0, float("inf"), float("-inf")])
    chart = loss_chart(rundir)
    (line,) = json.loads(json.dumps(chart.figure["data"], allow_nan=False))
    assert line["y"] == [2.0, None, 1.0, None, None]
    assert chart.rows == (("cycle 1, sft", "5", "2.0000", "1.0000", "-inf"),)
    assert thinned([float("inf"), float("-inf"), *[1.0] * 599])[1][:2] == [None, 1.0]


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 1, "stage": "sft", "losses": ["x"]}', '{"schema": 2}'])
def test_losses_that_are_none_are_refused_by_name(tmp_path: Path, content: str) -> None:
    path = leave(RunDir(tmp_path), "cycle-001", [])
    path.write_text(content)
    with pytest.raises(RunError, match=r"cycle-001/losses\.json"):
        list(read_curves(RunDir(tmp_path)))


def test_the_stages_are_told_as_show_tells_them() -> None:
    told: Any = {"cycle": 1, "student": "s", "parent": "base", "verdict": Verdict.ACCEPTED, "why": "w"}
    metrics = {"first_loss": 2.0, "first_reward": 0.25, "last_reward": 0.5}
    stage = TrainingReport(stage="grpo", steps=1200, tokens=9, loss=0.125, seconds=300, metrics=metrics, note="<b>odd")
    (row,) = stages([CycleReport(accuracy={}, n={}, training=(stage,), **told)])
    assert row == {
        "cycle": 1, "name": "grpo", "steps": 1200, "tokens": 9,
        "time": "5.0 min", "loss": "2.000 -> 0.125", "moved": "reward 0.25 -> 0.50; <b>odd",
    }  # fmt: skip


def test_settings_are_shown_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-from-the-environment")
    options = {
        "api_key": "sk-typed-in",
        "api_key_env": "SOME_API_KEY",
        "headers": [{"Authorization": "Bearer abc", "x-auth-token": "abc"}],
        "base_url": "https://user:hunter2@host:8000/v1/a@b",
        "note": "sk-from-the-environment",
        "token": None,
        "max_tokens": 500,
    }
    rundir = RunDir(tmp_path)
    rundir.config.write_text(yaml.safe_dump({"student": {"model": "tiny"}, "teachers": [{"options": options}]}))
    shown = blacked_yaml(rundir.settings())
    for secret in ("sk-", "abc", "hunter2", "Bearer"):
        assert secret not in shown
    assert yaml.safe_load(shown)["teachers"][0]["options"] == {
        "api_key": "***",
        "api_key_env": "SOME_API_KEY",
        "headers": [{"Authorization": "***", "x-auth-token": "***"}],
        "base_url": "https://***@host:8000/v1/a@b",
        "note": "***",
        "token": None,
        "max_tokens": 500,
    }


def test_no_two_kinds_of_a_chart_look_alike_and_its_legend_goes_with_them() -> None:
    chart = bars("x", "X", {f"node {number}": {1: 1.0} for number in range(20)}, [1], "seconds")
    looks = {(one["marker"]["color"], one["marker"].get("pattern", {}).get("shape")) for one in chart.figure["data"]}
    assert len(looks) == 20
    assert chart.figure["layout"]["legend"]["traceorder"] == "normal"


def test_shares_have_one_form() -> None:
    assert (percent(19 / 24), percent(0), percent(1.0), percent(None)) == ("79.2 %", "0.0 %", "100.0 %", "-")
    assert (points(0.125), points(-0.05)) == ("+12.5", "-5.0")
    chart = mastery_map(
        [
            Diagnosis(cycle=1, student="base", accuracy=0.5, weaknesses=(), mastery=(skill("a", 19), skill("b", 12))),
            Diagnosis(cycle=2, student="base", accuracy=0.5, weaknesses=(), mastery=(skill("a", 24),)),
        ]
    )
    assert chart.rows == (("b", "50.0 %", "-"), ("a", "79.2 %", "100.0 %"))
    (map_,) = chart.figure["data"]
    assert map_["texttemplate"] == "%{z:.1f} %"
    assert [[None if z is None else round(z, 1) for z in row] for row in map_["z"]] == [[50.0, None], [79.2, 100.0]]


def test_black_figures_can_be_read_on_every_colour_of_the_mastery_map() -> None:
    light = [luminance(colour) for colour in MASTERY_COLOURS]
    assert light == sorted(light) and (light[0] + 0.05) / 0.05 >= 4.5  # WCAG 2.2, contrast to black


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as WCAG 2.2 has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def skill(name: str, right: int) -> Mastery:
    return Mastery(skill=name, alpha=right, beta=24 - right)
