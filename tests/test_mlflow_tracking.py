"""A run that is tracked while it goes on, and what becomes of it when the tracker fails."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

import tutelage
from tutelage import tracking
from tutelage.config import RunConfig
from tutelage.configfile import load_config
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]


def write(folder: Path, mlflow: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(fake_config(track={"mlflow": mlflow}), sort_keys=False))
    return path


def command(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Track with another program."""
    monkeypatch.setattr(tracking, "_command", lambda path, config: [sys.executable, "-c", script])


def test_a_tracked_run_is_in_the_store_when_it_ends(tutelage_cli: Run, in_folder: Path) -> None:
    config = write(in_folder, {"store": "sqlite:///live.db", "experiment": "live", "traces": 2})
    code, out, err = tutelage_cli("run", config, "--run-dir", "runs/fake", "--json")
    assert code == 0 and "tracking" not in err
    shown = json.loads(out)
    client = MlflowClient(tracking_uri="sqlite:///live.db")
    place = client.get_experiment_by_name("live")
    assert place is not None
    (run,) = client.search_runs([place.experiment_id])
    gate = [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, "accuracy/gate")]
    assert gate == [(row["cycle"], row["accuracy"]["gate"]) for row in shown["cycles"]]
    assert (run.info.status, run.data.metrics["test/best"]) == ("FINISHED", shown["test"]["best"])
    assert len(client.search_traces(locations=[place.experiment_id], run_id=run.info.run_id)) == 4


def test_a_cycle_is_written_while_the_run_goes_on(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "import pathlib; pathlib.Path('seen').open('a').write('x')")
    seen: list[int] = []

    def listen(event: dict[str, Any]) -> None:
        if (event.get("kind"), event.get("node")) == ("started", "finish"):
            deadline = time.monotonic() + 30
            while not Path("seen").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            seen.append(len(Path("seen").read_text()))

    tutelage.run(load_config(write(in_folder, {})), run_dir="run", listen=listen)
    assert seen[0] >= 1 and len(Path("seen").read_text()) > seen[0]


def test_a_tracker_that_fails_is_told_once_and_harms_nothing(
    tutelage_cli: Run, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(monkeypatch, "raise SystemExit('tutelage: MLflow:\\x1b[31m no luck')")
    code, out, err = tutelage_cli("run", write(in_folder, {}), "--run-dir", "run", "--json")
    assert code == 0 and json.loads(out)["status"] == "finished"
    told = [line for line in err.splitlines() if "tracking" in line]
    assert told == ["tutelage: tracking failed, the run is not affected: MLflow:\N{REPLACEMENT CHARACTER}[31m no luck"]


def test_a_tracker_that_hangs_is_ended(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(tracking, "_PATIENCE", 0.2)
    began = time.monotonic()
    assert tutelage.run(load_config(write(in_folder, {})), run_dir="run").summary["status"] == "finished"
    assert time.monotonic() - began < 60 and capfd.readouterr().err.count("tracking failed") == 1


def test_a_run_that_fails_is_shown_as_failed(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "import pathlib; pathlib.Path('seen').open('a').write('x')")

    class Broken:
        name = "broken"

        def teach(self, request: tutelage.TeachingRequest) -> str:
            raise ValueError("no")

    with pytest.raises(tutelage.RunError):
        tutelage.run(load_config(write(in_folder, {})), run_dir="run", teachers=[Broken()])
    assert Path("seen").exists()


@pytest.mark.parametrize("verb", ["run", "doctor"])
def test_what_would_fail_is_found_first(
    tutelage_cli: Run, in_folder: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    config = write(in_folder, {})
    monkeypatch.setattr("tutelage.export.mlflow.store.find_spec", lambda name: None)
    code, _, err = tutelage_cli(verb, config)
    assert code == 2 and err.count("\n") == 1
    assert "config.yaml:" in err and "pip install 'tutelage[mlflow]', or set track.mlflow=null" in err
    assert [path.name for path in in_folder.iterdir()] == ["config.yaml"]


def test_a_run_can_be_resumed_without_its_tracker(
    tutelage_cli: Run, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(monkeypatch, "")
    tutelage.run(load_config(write(in_folder, {})), run_dir="run")
    Path("run/result.json").unlink()
    monkeypatch.setattr("tutelage.export.mlflow.store.find_spec", lambda name: None)
    code, _, err = tutelage_cli("resume", "run")
    assert code == 2 and "track.mlflow=null" in err
    code, _, err = tutelage_cli("resume", "run", "--set", "track.mlflow=null")
    assert code == 0, err


def test_a_store_is_the_same_file_wherever_the_run_is_resumed(in_folder: Path) -> None:
    config = RunConfig.model_validate(fake_config(track={"mlflow": {}}))
    assert config.track.mlflow and config.track.mlflow.store == f"sqlite:///{in_folder / 'mlflow.db'}"


@pytest.mark.parametrize("store", ["postgresql://me:secret@db/m", "postgresql://me@db/m?password=secret"])
def test_a_password_is_not_written_down(tutelage_cli: Run, in_folder: Path, store: str) -> None:
    config = write(in_folder, {"store": store})
    code, _, err = tutelage_cli("run", config)
    assert code == 2 and "config.yaml:" in err and "track.mlflow.store" in err
    assert "***@db" in err and "secret" not in err and not Path("runs").exists()
    code, _, err = tutelage_cli("run", write(in_folder, {}), "--set", f"track.mlflow.store={store}")
    assert code == 2 and "***@db" in err and "secret" not in err and not Path("runs").exists()
