"""What stages of later cycles may go back to: the checkpoints of the student's own line, which stay on disk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tutelage
from tutelage.configfile import load_config
from tutelage.graphs.earlier import earlier_stages
from tutelage.rundir import RunDir
from tutelage.seams import TrainedStage
from tutelage.testing import fake_config


def run(path: Path, start: str) -> Any:
    """Run two cycles of two stages, and return what a third cycle would be given."""
    stages = [{"name": "tutelage.testing:FakeStage", "options": {"name": name}} for name in ("sft", "grpo")]
    training = {"stages": stages, "worker": "inline", "min_lessons": 4, "start": start}
    student = tutelage.run(fake_config(training=training), run_dir=path).summary["student"]["best"]
    context = SimpleNamespace(rundir=RunDir(path), config=load_config(path / "config.yaml"))
    return earlier_stages(context, student), earlier_stages(context, "base")  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["last", "base"])
def test_they_are_those_of_the_line_and_lie_on_disk(tmp_path: Path, start: str) -> None:
    found, of_the_base = run(tmp_path / "run", start)
    at = tmp_path / "run" / "checkpoints"
    assert of_the_base == ()
    assert found == (
        TrainedStage(1, "sft", None, at / "cycle-001-stage-0"),
        TrainedStage(1, "grpo", at / "cycle-001-stage-0", at / "cycle-001"),
        TrainedStage(2, "sft", at / "cycle-001" if start == "last" else None, at / "cycle-002-stage-0"),
        TrainedStage(2, "grpo", at / "cycle-002-stage-0", at / "cycle-002"),
    )
    assert all(one.out.is_dir() for one in found)
