"""What an export writes is read back with MLflow's own client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

import tutelage
from tutelage.export.chosen import chosen_student
from tutelage.export.mlflow import export_mlflow
from tutelage.rundir import RunDir
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tutelage.run(fake_config(), run_dir=tmp_path_factory.mktemp("runs") / "fake").path


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it; MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(empty, tmp_path / 'mlflow.db')}"


def runs_in(store: str, experiment: str = "tutelage") -> list[Any]:
    client = MlflowClient(tracking_uri=store)
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


def curves(store: str, run: Any) -> dict[str, list[tuple[int, float]]]:
    client = MlflowClient(tracking_uri=store)
    return {
        key: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }


def traces_of(store: str, run: Any) -> list[Any]:
    client = MlflowClient(tracking_uri=store)
    return list(client.search_traces(locations=[run.info.experiment_id], run_id=run.info.run_id, max_results=500))


def artifacts_of(store: str, run: Any) -> set[str]:
    return {item.path for item in MlflowClient(tracking_uri=store).list_artifacts(run.info.run_id)}


def test_the_tiny_example_has_the_accuracy_that_show_prints(tutelage_cli: Run, in_folder: Path) -> None:
    example = ROOT / "examples" / "tiny.yaml"
    code, _, err = tutelage_cli("run", example, "--run-dir", "tiny", "--set", "stop.cycles=1")
    assert code == 0, err
    code, out, err = tutelage_cli("export", "mlflow", "tiny")  # the store's own folder is the default
    assert code == 0, err
    assert "mlflow ui --backend-store-uri sqlite:///" in out
    shown = json.loads(tutelage_cli("show", "tiny", "--json")[1])
    (run,) = runs_in("sqlite:///mlflow.db")
    drawn = curves("sqlite:///mlflow.db", run)
    for split in ("probe", "gate"):
        assert drawn[f"accuracy/{split}"] == [(row["cycle"], row["accuracy"][split]) for row in shown["cycles"]]
    assert drawn["test/base"] == [(0, shown["test"]["base"])]
    assert drawn["test/best"] == [(1, shown["test"]["best"])] and shown["test"]["best"] > 0
    assert run.data.metrics["accuracy/test"] == shown["test"]["best"]
    assert drawn["training/1-sft/loss"] == [(1, shown["cycles"][1]["training"][0]["loss"])]
    assert (in_folder / "mlruns" / "tutelage" / run.info.run_id / "artifacts" / "config.yaml").is_file()


def test_the_configuration_and_the_files_are_there(finished: Path, store: str) -> None:
    export_mlflow(RunDir(finished), store, "../one", checkpoint=True)
    (run,) = runs_in(store, "../one")
    assert Path(run.info.artifact_uri.removeprefix("file://")).parents[2].name == "mlruns"
    config = yaml.safe_load((finished / "config.yaml").read_text())
    assert run.data.params["stop.cycles"] == "2" and run.data.params["retention"] == "null"
    assert run.data.params["student.model"] == config["student"]["model"]
    assert run.data.params["teachers.0.name"] == "tutelage.testing:FakeTeacher"
    assert artifacts_of(store, run) == {"config.yaml", "result.json", "reports", "diagnoses", "plans", "checkpoints"}
    kept = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (kept / "reports" / "cycle-002.json").read_bytes() == (finished / "reports" / "cycle-002.json").read_bytes()
    assert list((kept / "checkpoints" / "cycle-002").iterdir())
    assert (run.info.run_name, run.info.status, run.data.tags["tutelage.status"]) == ("fake", "FINISHED", "finished")


def test_a_run_that_is_not_finished_has_a_best_checkpoint_so_far(finished: Path, store: str, tmp_path: Path) -> None:
    going = RunDir(Path(shutil.copytree(finished, tmp_path / "going")))
    (going.path / "result.json").unlink()
    going.file("reports", 2, "json").unlink()
    export_mlflow(going, store, "tutelage", traces=0, checkpoint=True)
    (run,) = runs_in(store)
    kept = Path(run.info.artifact_uri.removeprefix("file://")) / "checkpoints"
    assert [path.name for path in kept.iterdir()] == [Path(chosen_student(going, None).student).name] == ["cycle-001"]


def test_checkpoints_stay_where_they_are_unless_asked_for(finished: Path, store: str) -> None:
    export_mlflow(RunDir(finished), store, "tutelage", traces=0)
    (run,) = runs_in(store)
    assert artifacts_of(store, run) == {"config.yaml", "result.json", "reports", "diagnoses", "plans"}
    assert traces_of(store, run) == []


def test_a_lesson_is_a_trace(finished: Path, store: str) -> None:
    done = export_mlflow(RunDir(finished), store, "tutelage")
    (run,) = runs_in(store)
    traces = traces_of(store, run)
    assert (len(traces), done.traces, done.left_out) == (32, 32, 0)
    lessons = {(x.cycle, x.problem_id): x for cycle in (1, 2) for x in RunDir(finished).lessons(cycle)}
    assert {(int(t.info.tags["tutelage.cycle"]), t.info.tags["tutelage.problem"]) for t in traces} == set(lessons)
    for trace in traces:
        root, *spans = trace.data.spans
        lesson = lessons[int(trace.info.tags["tutelage.cycle"]), trace.info.tags["tutelage.problem"]]
        assert root.parent_id is None and root.inputs["question"] == lesson.question
        assert root.outputs == [lesson.text] and root.attributes["tutelage.verified"] is True
        assert root.attributes["tutelage.teachers"] == ["fake"]
        by_kind = {span.attributes["tutelage.kind"]: span for span in spans}
        assert {"plan", "recall", "draft", "check", "purification", "lesson"} <= set(by_kind)
        assert by_kind["draft"].outputs == lesson.text
        assert by_kind["check"].parent_id == by_kind["draft"].span_id
        assert by_kind["check"].attributes["tutelage.verified"] is True
        kinds = [span.attributes["tutelage.kind"] for span in sorted(spans, key=lambda span: span.start_time_ns)]
        assert kinds.index("draft") < kinds.index("check") < kinds.index("purification") < kinds.index("lesson")
        assert run.info.start_time <= trace.info.request_time <= run.info.end_time
        assert all(root.start_time_ns <= span.start_time_ns <= root.end_time_ns for span in spans)


def test_a_second_export_adds_nothing(finished: Path, store: str) -> None:
    seen = []
    for _ in range(2):
        export_mlflow(RunDir(finished), store, "tutelage", traces=4)
        (run,) = runs_in(store)
        told = (run.info.run_id, run.info.end_time, run.data.params, run.data.tags)
        seen.append((*told, curves(store, run), sorted(t.info.trace_id for t in traces_of(store, run))))
    assert seen[0] == seen[1]
    assert all(len({step for step, _ in curve}) == len(curve) for curve in seen[1][4].values())
    assert len(seen[1][5]) == 8


def test_a_run_that_goes_on_is_the_same_run(finished: Path, store: str, tmp_path: Path) -> None:
    going = shutil.copytree(finished, tmp_path / "going")
    for path in (going / "result.json", *going.glob("*/cycle-002*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    export_mlflow(RunDir(going), store, "tutelage")
    (run,) = runs_in(store)
    drawn = curves(store, run)
    assert run.info.status == "KILLED" and [step for step, _ in drawn["accuracy/gate"]] == [0, 1]
    assert "test/best" not in drawn and [step for step, _ in drawn["seconds/all"]] == [0]  # cycle 1 may not be over
    shutil.copytree(finished, moved := tmp_path / "moved")
    config = yaml.safe_load((moved / "config.yaml").read_text())
    config["stop"]["patience"] = 7
    (moved / "config.yaml").write_text(yaml.safe_dump(config))
    export_mlflow(RunDir(moved), store, "tutelage")
    (again,) = runs_in(store)
    assert again.info.run_id == run.info.run_id and again.info.status == "FINISHED"
    assert curves(store, again)["seconds/all"][1][0] == 1 and len(traces_of(store, again)) == 32
    assert json.loads(again.data.tags["tutelage.changed"]) == {"stop.patience": "7"}


def test_another_run_is_another_run(finished: Path, store: str, tmp_path: Path) -> None:
    other = tutelage.run(fake_config(), run_dir=tmp_path / "fake").path
    for path in (finished, other):
        export_mlflow(RunDir(path), store, "tutelage", traces=0)
    assert len({run.data.tags["tutelage.id"] for run in runs_in(store)}) == 2


def test_what_is_left_out_is_told(tutelage_cli: Run, finished: Path, store: str) -> None:
    code, out, err = tutelage_cli("export", "mlflow", finished, "--store", store, "--traces", "3")
    assert (code, err) == (0, "") and "6 traces (26 more lessons left out; --traces takes more)" in out


def test_no_secret_of_the_configuration_leaves_the_run(finished: Path, store: str, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    config = yaml.safe_load((copy / "config.yaml").read_text())
    config["teachers"][0]["options"] = {"api_key": "sk-LEAK", "headers": {"Authorization": "Bearer LEAK"}}
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    export_mlflow(RunDir(copy), store, "tutelage", traces=1)
    (run,) = runs_in(store)
    assert run.data.params["teachers.0.options.api_key"] == "***"
    shutil.rmtree(copy)
    assert next(tmp_path.rglob("config.yaml"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"LEAK" in path.read_bytes()]


def hostile_copy(finished: Path, place: Path) -> tuple[Path, str]:
    """A run in which the last rationale of cycle 1 is an attack, turned away; and the id of its problem."""
    copy = shutil.copytree(finished, place)
    path = copy / "rationales" / "cycle-001.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    attack = "<script>alert(1)</script>\x1b[31m\x00\ud800" + "x" * 1_000_000
    rows[-1] |= {"text": attack, "verified": False, "rejected": "wrong \x1b[2J", "critique": "why\x1b[31m?"}
    rows[-1]["teacher"] = attack[:500]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    diagnosis = json.loads((copy / "diagnoses" / "cycle-001.json").read_text())
    for number, name in enumerate(("../a b\x1b[31m\nü", "../a b\x1b[31m\nö")):
        diagnosis["mastery"][number]["skill"] = name * 60
    (copy / "diagnoses" / "cycle-001.json").write_text(json.dumps(diagnosis))
    config = yaml.safe_load((copy / "config.yaml").read_text())
    config["task"]["options"] = {"lo ng/:é\x07": "y" * 9000, "ids": [1, 2], **{f"o{n}": n for n in range(1500)}}
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    return copy, rows[-1]["problem_id"]


def test_hostile_texts_stay_texts_and_are_shown_first(finished: Path, store: str, tmp_path: Path) -> None:
    copy, problem = hostile_copy(finished, tmp_path / "hostile")
    export_mlflow(RunDir(copy), store, "tutelage", traces=1)
    (run,) = runs_in(store)
    (trace,) = [t for t in traces_of(store, run) if t.info.tags["tutelage.cycle"] == "1"]
    assert trace.info.tags["tutelage.problem"] == problem
    spans = {span.attributes["tutelage.kind"]: span for span in trace.data.spans[1:]}
    text = spans["draft"].outputs
    assert text.startswith("<script>alert(1)</script>\x1b[31m\x00?xxx") and len(text) > 1_000_000
    assert spans["check"].status.status_code.name == "ERROR" and spans["critique"].outputs == "why\x1b[31m?"
    assert trace.data.spans[0].attributes["tutelage.verified"] is False
    assert (
        len([key for key in run.data.metrics if key.startswith("mastery/")]) == 4
    )  # both odd names, and the real ones
    assert len(run.data.params) == 1000
    assert max(map(len, run.data.params.values())) == 6000
    assert any(value.endswith("(9000 characters; the whole is in config.yaml)") for value in run.data.params.values())
    assert run.data.params["task.options.ids"] == "[1, 2]"


WRONG = [
    (["--store", "sqlite:///nowhere/mlflow.db"], "is no folder"),
    (["--store", "sqlite:///text.db"], "is no SQLite file"),
    (["--store", "sqlite:///calls.db"], "another program's database"),
    (["--store", "mlruns"], "is no store; write it like sqlite:///mlflow.db"),
    (["--store", "http://me:secret@localhost:1"], "http://***@localhost:1: leave name, password"),
    (["--store", "postgresql://u@h/db?passwd=secret"], "postgresql://***@h/db?***: leave the password out"),
    (["--experiment", "deleted", "--store", "STORE"], "is deleted; restore it"),
    (["--checkpoint", "--store", "STORE"], "has no best checkpoint"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_input_is_told_and_nothing_is_written(
    tutelage_cli: Run, finished: Path, store: str, in_folder: Path, arguments: list[str], said: str
) -> None:
    copy = shutil.copytree(finished, in_folder / "run")
    shutil.rmtree(copy / "checkpoints")
    (in_folder / "text.db").write_text("no database, but a text that is long enough to be one, as it seems to SQLite")
    shutil.copy(copy / "calls.sqlite", in_folder / "calls.db")
    client = MlflowClient(tracking_uri=store)
    client.delete_experiment(client.create_experiment("deleted"))
    before = sorted(path.name for path in in_folder.iterdir())
    given = [store if word == "STORE" else word for word in arguments]
    code, out, err = tutelage_cli("export", "mlflow", copy, *given)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1 and "secret" not in err
    assert sorted(path.name for path in in_folder.iterdir()) == before and runs_in(store) == []


def test_without_mlflow_the_remedy_is_named(
    tutelage_cli: Run, finished: Path, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutelage.export.mlflow.store.find_spec", lambda name: None)
    code, _, err = tutelage_cli("export", "mlflow", finished)
    assert code == 2 and "pip install 'tutelage[mlflow]'" in err and list(in_folder.iterdir()) == []


def test_nobody_outside_is_asked(finished: Path, store: str) -> None:
    watched = (
        "import sys\n"
        "def hook(event, args):\n"
        "    if event in ('socket.getaddrinfo', 'socket.connect', 'socket.sendto'): print(event, args)\n"
        "sys.addaudithook(hook)\n"
        "from tutelage.cli import main\n"
        "main()\n"
    )
    quiet = ("PYTEST", "CI", "GITHUB", "MLFLOW_DISABLE", "DO_NOT_TRACK")  # with these MLflow is silent by itself
    environment = {name: value for name, value in os.environ.items() if not name.startswith(quiet)}
    command = [sys.executable, "-c", watched, "export", "mlflow", str(finished), "--store", store, "--traces", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "socket." not in done.stdout and "2 traces" in done.stdout
    assert done.stderr == ""
