"""The demo, with the real student and a short cycle, in other tools: they hold what `show --json` does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

ROOT = Path(__file__).parent.parent
SHORT = ["--set", "stop.cycles=1", "--set", "plan.lessons=48"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def tutelage_in(folder: Path, *arguments: object) -> str:
    done = subprocess.run([sys.executable, "-m", "tutelage", *map(str, arguments)], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    tutelage_in(folder, "run", ROOT / "examples" / "arithmetic.yaml", "--run-dir", "demo", *SHORT)
    return folder / "demo"


@pytest.fixture(scope="module")
def shown(demo: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(tutelage_in(demo.parent, "show", "demo", "--json"))
    assert len(summary["cycles"]) == 2 and set(summary["cycles"][1]["accuracy"]) == {"probe", "gate", "retention"}
    return summary


def test_mlflow_holds_the_accuracy_of_the_demo(demo: Path, shown: dict[str, Any]) -> None:
    tutelage_in(demo.parent, "export", "mlflow", "demo", "--store", f"sqlite:///{demo.parent}/mlflow.db")
    client = MlflowClient(tracking_uri=f"sqlite:///{demo.parent}/mlflow.db")
    experiment = client.get_experiment_by_name("tutelage")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "demo" and run.data.params["student.model"] == "smollm2-135m-instruct"
    for split in ("probe", "gate", "retention"):
        drawn = [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, f"accuracy/{split}")]
        assert drawn == [(row["cycle"], row["accuracy"][split]) for row in shown["cycles"]]
    assert run.data.metrics["accuracy/test"] == shown["test"]["best"]
    traces = client.search_traces(locations=[experiment.experiment_id], run_id=run.info.run_id)
    assert traces and all(trace.data.spans for trace in traces)


def test_inspect_ai_holds_the_accuracy_of_the_demo(
    demo: Path, shown: dict[str, Any], read_by_inspect: Callable[[Path, Path], list[dict[str, Any]]]
) -> None:
    logs = read_by_inspect(demo, demo.parent / "logs")
    found = {(log["eval"]["metadata"]["cycle"], log["eval"]["task"]): log for log in logs}
    accuracy = {key: log["results"]["scores"][0]["metrics"]["accuracy"]["value"] for key, log in found.items()}
    for cycle in shown["cycles"]:
        for split, share in cycle["accuracy"].items():
            log = found[cycle["cycle"], split]
            assert accuracy[cycle["cycle"], split] == pytest.approx(share, abs=1e-12), (cycle["cycle"], split)
            asked = {sample["id"] for sample in log["samples"]}  # what must be kept, the base student is asked again
            assert (log["status"], len(asked)) == ("success", cycle["n"][split])
    assert accuracy[shown["student"]["best_cycle"], "test"] == pytest.approx(shown["test"]["best"])
