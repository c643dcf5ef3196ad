"""A `resume` that waits for another process: what that one did meanwhile counts, not what was seen before the wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tutelage
from tutelage import InputError, RunError, jsonl
from tutelage.changes import changed_config
from tutelage.configfile import dump_config
from tutelage.rundir import RunDir
from tutelage.testing import FakeTeacher, fake_config

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something done by another process while this one waits for the lock."""

    def wait(act: Callable[[], object]) -> None:
        lock = RunDir.lock

        def late(self: RunDir, *given: float) -> None:
            act()
            lock(self, *given)

        monkeypatch.setattr(RunDir, "lock", late)

    return wait


def everything(path: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


def finished(path: Path) -> tuple[bytes, dict[str, bytes]]:
    """Finish a run, and take its result away; return that and what there was."""
    tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path)
    before, result = everything(path), path / "result.json"
    kept = result.read_bytes()
    result.unlink()
    return kept, before


def failed(path: Path) -> RunDir:
    with pytest.raises(RunError, match="no credit"):
        tutelage.run(fake_config(), teachers=[FakeTeacher(fails="no credit")], run_dir=path)
    return RunDir(path)


def test_a_run_that_has_just_finished_is_left_as_it_is(tmp_path: Path, meanwhile: Meanwhile) -> None:
    path = tmp_path / "run"
    result, before = finished(path)
    meanwhile(lambda: (path / "result.json").write_bytes(result))
    tutelage.resume(path)
    assert everything(path) == before
    (path / "result.json").unlink()
    with pytest.raises(InputError, match=r"--set stop\.cycles=4: .* is finished, and nothing of it is done again"):
        tutelage.resume(path, overrides=["stop.cycles=4"])
    assert everything(path) == before
    RunDir(path).unlock()


def test_what_another_process_has_set_is_kept(tmp_path: Path, meanwhile: Meanwhile) -> None:
    rundir = failed(tmp_path / "run")
    other = dump_config(changed_config(rundir, ["stop.cycles=1"]))
    meanwhile(lambda: rundir.config.write_text(other))
    result = tutelage.resume(rundir.path, teachers=[FakeTeacher()], overrides=["stop.patience=7"])
    stop = changed_config(rundir, ()).stop
    assert (stop.cycles, stop.patience) == (1, 7)
    assert len(result.reports) == 2


def test_a_result_that_is_lost_is_written_again_and_nothing_else_is_done(tmp_path: Path) -> None:
    path = tmp_path / "run"
    result, before = finished(path)
    told = len(list(jsonl.read(path / "events.jsonl")))
    tutelage.resume(path)
    assert (path / "result.json").read_bytes() == result
    events = list(jsonl.read(path / "events.jsonl"))[told:]
    assert [event["node"] for event in events if event["kind"] == "started"] == ["finish"]
    after = everything(path)
    kinds = ("attempts", "rationales", "lessons", "plans", "checkpoints", "calls.sqlite")
    assert {name: kept for name, kept in before.items() if Path(name).relative_to(path).parts[0] in kinds}.items() <= (
        after.items()
    )
