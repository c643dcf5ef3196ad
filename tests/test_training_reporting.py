"""`report_to`: TensorBoard and W&B get what a stage logs, in the run directory; what cannot work is said before."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tutelage.errors import InputError
from tutelage.graphs.consolidate import title_of
from tutelage.jsonl import read_json
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.jobs import job_key, read_job, write_job
from tutelage.training.session import LOSSES
from tutelage.training.sft import SFTStage
from tutelage.training.worker import run_stage

Cli = Callable[..., tuple[int, str, str]]
OPTIONS = {"mode": "full", "max_steps": 3, "batch_size": 4, "report_to": ["tensorboard"]}


@pytest.fixture
def job(base: Path, tmp_path: Path) -> StageJob:
    lessons = tuple(
        Lesson(
            problem_id=f"p{n}", cycle=1, question=f"{n} + 1 =", text=f"Answer: {n + 1}", origin="t", answer=str(n + 1)
        )
        for n in range(6)
    )
    out = tmp_path / "checkpoints" / "cycle-001"
    return StageJob(1, base, None, out, lessons, 3, device="cpu", title="cycle-001-sft", logs=tmp_path)


def losses(folder: Path) -> list[float]:
    read = EventAccumulator(str(folder)).Reload()
    return [event.value for event in read.Scalars("train/loss")]


@pytest.mark.parametrize("mode", ["inline", "process"])
def test_tensorboard_has_the_loss_of_each_step(job: StageJob, tmp_path: Path, mode: str) -> None:
    torn = tmp_path / "tensorboard" / "cycle-001-sft" / "of an attempt that was cut off"
    torn.parent.mkdir(parents=True)
    torn.write_text("")
    run_stage(Plugin(name="sft", options=OPTIONS), job, mode=mode)  # type: ignore[arg-type]
    told = losses(tmp_path / "tensorboard" / "cycle-001-sft")
    kept = read_json(job.out / LOSSES)["losses"]
    assert len(told) == 3 and told == pytest.approx(kept, abs=1e-3)
    assert not torn.exists()
    assert [path.name for path in (tmp_path / "tensorboard").iterdir()] == ["cycle-001-sft"]


def test_a_place_that_the_user_has_set_holds(job: StageJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "mine"))
    SFTStage(**OPTIONS).run(job)  # type: ignore[arg-type]
    assert len(losses(tmp_path / "mine")) == 3 and not (tmp_path / "tensorboard").exists()


def test_where_the_logs_lie_is_no_part_of_what_is_trained(job: StageJob, tmp_path: Path) -> None:
    spec = Plugin(name="sft", options=OPTIONS)
    moved = replace(job, logs=tmp_path / "elsewhere", title="other")
    assert job_key(spec, moved) == job_key(spec, job)
    write_job(tmp_path / "job.json", spec, job)
    assert read_job(tmp_path / "job.json") == (spec, job)


def test_stages_of_one_name_have_titles_of_their_own() -> None:
    assert title_of(["sft"], 2, 0) == "cycle-002-sft"
    assert [title_of(["sft", "grpo", "sft"], 1, n) for n in range(3)] == [
        "cycle-001-sft-1",
        "cycle-001-grpo",
        "cycle-001-sft-2",
    ]


def test_what_is_not_installed_ends_a_run_before_it_begins(in_folder: Path, tutelage_cli: Cli) -> None:
    config = yaml.safe_load((Path(__file__).parent.parent / "examples" / "tiny.yaml").read_text())
    config["training"]["stages"][0]["options"]["report_to"] = ["neptune"]
    (in_folder / "config.yaml").write_text(yaml.safe_dump(config))
    code, out, err = tutelage_cli("run", "config.yaml")
    assert (code, out) == (2, "") and "report_to: neptune is not installed; pip install neptune" in err
    assert len(err.splitlines()) == 1 and not (in_folder / "runs").exists()


def test_a_missing_extra_of_ours_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.training.reporting.known_trackers", lambda: (["wandb", "tensorboard"], []))
    with pytest.raises(InputError, match=r"report_to: wandb is not installed; pip install 'tutelage\[wandb\]'$"):
        SFTStage(report_to=["wandb"]).check()


NO_WANDB = "wandb is an extra of 60 MB that sends to its server unless told not to: pip install 'tutelage[wandb]'"
needs_wandb = pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason=NO_WANDB)


@needs_wandb
@pytest.mark.slow
def test_wandb_offline_leaves_a_run_for_each_stage_with_the_run(in_folder: Path) -> None:
    config = yaml.safe_load((Path(__file__).parent.parent / "examples" / "tiny.yaml").read_text())
    config["training"]["stages"][0]["options"] |= {"report_to": ["wandb"], "max_steps": 3}
    config["stop"]["cycles"] = 2
    (in_folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "tutelage", "run", "config.yaml", "--run-dir", "run", "--json"]
    environment = {**os.environ, "WANDB_MODE": "offline"}
    out = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    assert json.loads(out)["status"] == "finished", "stdout is one document, whatever W&B and transformers say"
    runs = sorted((in_folder / "run" / "wandb").glob("offline-run-*"))
    assert len(runs) == 2 and all(list(run.glob("*.wandb")) for run in runs)
    assert not (in_folder / "wandb").exists()


@needs_wandb
@pytest.mark.slow
def test_wandb_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match=r"set WANDB_API_KEY, or WANDB_MODE=offline|or set WANDB_MODE=offline"):
        SFTStage(report_to=["wandb"]).check()
