"""The whole loop on a data set without tags: what is discovered stands for them wherever tags are used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tutelage
from tutelage import RunError
from tutelage.graphs import cycle as cycle_module
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.schema import Split
from tutelage.testing import FakeTeacher, fake_config

ASKED = ("What is {} + {}?", "How many legs do {} dogs and {} birds have?")


@pytest.fixture
def config(tmp_path: Path) -> dict[str, object]:
    """Sums, which the fake student learns, and legs, which it does not."""
    rows = tmp_path / "rows.jsonl"
    answers = [(n + n + 2, 4 * n + 2 * (n + 2)) for n in range(60)]
    lines = [
        {"question": ASKED[kind].format(n, n + 2), "answer": str(answers[n][kind])}
        for n in range(60)
        for kind in (0, 1)
    ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    sizes = {"train": 40, "probe": 40, "gate": 20, "test": 20}
    return fake_config(task={"name": "dataset", "options": {"path": str(rows), "sizes": sizes}})


def test_discovered_kinds_are_planned_taught_remembered_and_traced(
    tmp_path: Path, config: dict[str, object], tutelage_cli: Callable[..., tuple[int, str, str]]
) -> None:
    teacher = FakeTeacher()
    result = tutelage.run(config, teachers=[teacher], run_dir=tmp_path / "run")
    rundir = RunDir(result.path)
    first, second = (rundir.diagnosis(cycle) for cycle in (1, 2))
    assert first and second
    assert {skill.name for skill in first.discovered} == {"birds dogs", "plus"}
    assert second.discovered == first.discovered
    assert {weakness.name for weakness in first.weaknesses} == {"birds dogs", "plus"}
    assert [weakness.confirmed for weakness in first.weaknesses] == [True, True]
    assert {(one.weaknesses, one.split) for one in rundir.fresh(1) or ()} == {
        ((name,), Split.TRAIN) for name in ("birds dogs", "plus")
    }
    assert not any(problem.skills for problem in rundir.problems()[Split.TRAIN])
    plan = rundir.plan(1)
    assert plan and {one.weakness for one in plan.assignments} <= {"birds dogs", "plus"}
    for request in teacher.asked:
        assert request.weakness and request.problem.skills == (request.weakness.name,)
    errors = [row for row in read(rundir.memory / "errors.jsonl") if row["kind"] == "error"]
    assert {tuple(row["skills"]) for row in errors} == {("birds dogs",), ("plus",)}
    refuted = {weakness.name for weakness in second.weaknesses if weakness.refuted}  # by luck; then no name is kept
    assert all(row["weakness"] == row["skills"][0] or row["skills"][0] in refuted for row in errors)
    events = result.trace(plan.assignments[0].problem_id)["events"]
    kind = plan.assignments[0].weakness
    assert kind in [event.get("skill") for event in events if event["kind"] == "diagnosis"]
    code, shown, _ = tutelage_cli("trace", str(result.path), "--problem", plan.assignments[0].problem_id)
    assert code == 0 and f"a problem of the kind '{kind}': Questions with" in " ".join(shown.split())


def test_a_crash_after_the_diagnosis_changes_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, object]
) -> None:
    config |= {"stop": {"cycles": 1}}
    whole = tutelage.run(config, run_dir=tmp_path / "whole")
    original = cycle_module.diagnose

    async def crash(state, runtime):
        await original(state, runtime)
        raise OSError("the lights went out")

    crash.__name__ = "diagnose"
    monkeypatch.setattr(cycle_module, "diagnose", crash)
    with pytest.raises(RunError, match="the lights went out"):
        tutelage.run(config, run_dir=tmp_path / "crashed")
    monkeypatch.setattr(cycle_module, "diagnose", original)
    resumed = tutelage.resume(tmp_path / "crashed")
    assert RunDir(resumed.path).diagnosis(1) == RunDir(whole.path).diagnosis(1)
    assert RunDir(resumed.path).plan(1) == RunDir(whole.path).plan(1)
