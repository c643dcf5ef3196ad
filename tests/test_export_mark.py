"""By what a run is known in other tools: the same after a new name and a resume, and never another run's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tutelage
from tutelage import jsonl
from tutelage.export.mark import run_mark
from tutelage.rundir import RunDir
from tutelage.testing import fake_config

Cli = Callable[..., tuple[int, str, str]]


def ids(path: Path) -> dict[str, str]:
    """Return the trace of each span of a file."""
    scopes = [scope for row in jsonl.read(path) for one in row["resourceSpans"] for scope in one["scopeSpans"]]
    return {span["spanId"]: span["traceId"] for scope in scopes for span in scope["spans"]}


def test_renamed_and_resumed_with_a_setting_a_run_has_the_same_names(tmp_path: Path, tutelage_cli: Cli) -> None:
    tutelage.run(fake_config(stop={"cycles": 1}, review=True), run_dir=tmp_path / "one")
    assert tutelage_cli("export", "spans", tmp_path / "one", "-o", tmp_path / "first.jsonl")[0] == 0
    (tmp_path / "one").rename(tmp_path / "two")
    assert tutelage_cli("resume", tmp_path / "two", "--set", "review=false")[0] == 0
    assert tutelage_cli("export", "spans", tmp_path / "two", "-o", tmp_path / "second.jsonl")[0] == 0
    first, second = (ids(tmp_path / f"{name}.jsonl") for name in ("first", "second"))
    assert len(set(first.values()) | set(second.values())) == 1 and first.keys() < second.keys()


def test_another_run_of_the_same_configuration_has_other_names(tmp_path: Path) -> None:
    paths = [tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / name / "run").path for name in "ab"]
    assert len({run_mark(RunDir(path)) for path in paths}) == 2
