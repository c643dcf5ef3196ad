"""`kill -9` during teach, training and the test of weaknesses: `resume` ends alike, and no call is made twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutelage
from tutelage import jsonl
from tutelage.export.node_spans import INTERRUPTED
from tutelage.export.spans import run_spans
from tutelage.rundir import RunDir
from tutelage.testing import fake_config


class Server:
    """The chat server of `tutelage.testing`, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "requests.log"
        command = [sys.executable, "-m", "tutelage.testing.chat_server", "--port", "0", "--log", str(self.log),
                   "--latency", "0.05"]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def requests(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def start(config: Path, path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tutelage", "run", str(config), "--run-dir", str(path)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)


def kill_when(process: subprocess.Popen[bytes], ready: Any, seconds: float = 120) -> None:
    """Kill the process and all it started, as soon as `ready` says so."""
    end = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < end, "the moment to kill never came"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def lessons(path: Path) -> list[Any]:
    return [[lesson.model_dump() for lesson in tutelage.Result(path).lessons(c)] for c in (1, 2)]


def test_killed_while_teaching(tmp_path: Path, server: Server) -> None:
    teacher = {"name": "chat", "options": {"model": "openai:fake", "base_url": server.url, "concurrency": 4}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(fake_config(teachers=[teacher])))
    path = tmp_path / "run"
    process = start(config, path)
    kill_when(process, lambda: lines(path / "rationales" / "cycle-001.jsonl") >= 5)
    taught = lines(path / "rationales" / "cycle-001.jsonl")
    assert taught < 16
    assert tutelage.Result(path).summary["status"] == "interrupted"
    stored = sqlite3.connect(path / "calls.sqlite").execute("SELECT key FROM calls").fetchall()
    before = len(server.requests())
    assert before - len(stored) <= 4  # at most those in flight were lost
    result = tutelage.resume(path)
    whole = tutelage.run(config, run_dir=tmp_path / "whole")
    assert lessons(path) == lessons(whole.path)
    assert [r.accuracy for r in result.reports] == [r.accuracy for r in whole.reports]
    require_spans_of_a_resumed_run(path)
    rows = sqlite3.connect(path / "calls.sqlite").execute("SELECT key, cached FROM uses").fetchall()
    paid = [key for key, cached in rows if not cached]
    assert len(paid) == len(set(paid)) == 32  # the ledger shows no call made twice
    asked = len(server.requests())
    shared = {"shared_calls": str(path / "calls.sqlite")}
    third = tutelage.run(fake_config(teachers=[teacher], teach=shared), run_dir=tmp_path / "third")
    assert lessons(third.path) == lessons(path)
    assert (third.reports[1].cost.calls, third.reports[1].cost.cached_calls) == (0, 16)
    assert len(server.requests()) == asked  # what one run has paid for, the other does not pay again


def require_spans_of_a_resumed_run(path: Path) -> None:
    """What was cut off in `teach` ended with the process, and has all of its calls."""
    run = run_spans(RunDir(path))
    (resumed,) = [event for event in jsonl.read(path / "events.jsonl") if event["kind"] == "resumed"]
    cut_off, again, *_ = [span for span in run.walk() if span.name == "teach"]
    assert (cut_off.failure, again.failure) == (INTERRUPTED, None)
    assert cut_off.end < resumed["time"] <= again.start
    assert any(span.remote for span in cut_off.walk()) and not any(span.remote for span in run.children)


def test_killed_while_training(tmp_path: Path) -> None:
    stage = {"name": "tutelage.testing:FakeStage", "options": {"seconds": 1.0}}
    values = fake_config(training={"stages": [stage], "worker": "process", "min_lessons": 4})
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(values))
    path = tmp_path / "run"

    def training() -> bool:
        events = path / "events.jsonl"
        return events.exists() and any('"training"' in line for line in events.read_text().splitlines())

    kill_when(start(config, path), training)
    assert not (path / "checkpoints" / "cycle-001").exists()
    resumed = tutelage.resume(path)
    whole = tutelage.run(fake_config(), run_dir=tmp_path / "whole")  # in this process, and without the waiting
    assert lessons(path) == lessons(whole.path)
    assert resumed.summary["test"] == whole.summary["test"]
    resumes = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines() if '"resumed"' in line]
    assert [event["node"] for event in resumes] == ["consolidate"]


COUNTING = """
from pathlib import Path
from tutelage.agents.diagnostician import SkillDiagnostician

class Counting(SkillDiagnostician):
    \"\"\"Says something else each time, as what is sampled does.\"\"\"

    def __init__(self, log: str) -> None:
        super().__init__()
        self.log = Path(log)

    def diagnose(self, problems, attempts, earlier):
        with self.log.open("a") as log:
            log.write("asked\\n")
        found = super().diagnose(problems, attempts, earlier)
        told = f"diagnosis {self.log.read_text().count('asked')}"
        return found.model_copy(
            update={"weaknesses": tuple(one.model_copy(update={"description": told}) for one in found.weaknesses)}
        )
"""


def test_killed_while_weaknesses_are_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "counting.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log, calm = tmp_path / "asked.log", tmp_path / "asked once.log"
    engine = {"name": "tutelage.testing:FakeEngine", "options": {"seconds": 0.05}}
    student = {**fake_config()["student"], "engine": engine, "batch_size": 1}  # four answers at a time reach the disk
    config = tmp_path / "config.yaml"
    counting = {"name": "counting:Counting", "options": {"log": str(log)}}
    config.write_text(yaml.safe_dump(fake_config(student=student, diagnostician=counting, stop={"cycles": 1})))
    path, attempts = tmp_path / "run", Path("attempts") / "cycle-001.jsonl"

    def tested(run: Path) -> list[str]:
        rows = (run / attempts).read_text().splitlines() if (run / attempts).exists() else []
        return [line for line in rows if '"split": "check"' in line and line.endswith("}")]

    kill_when(start(config, path), lambda: tested(path))
    assert 0 < len(tested(path)) < 16 and not (path / "diagnoses").exists()
    drawn = (path / "fresh" / "cycle-001.jsonl").read_bytes()
    resumed = tutelage.resume(path)
    assert log.read_text() == "asked\n"
    counting["options"] = {"log": str(calm)}
    whole = tutelage.run(fake_config(diagnostician=counting, stop={"cycles": 1}), run_dir=tmp_path / "whole")
    assert (path / "fresh" / "cycle-001.jsonl").read_bytes() == drawn
    for file in (attempts, Path("diagnoses") / "cycle-001.json", Path("plans") / "cycle-001.json"):
        assert (path / file).read_bytes() == (whole.path / file).read_bytes()
    assert resumed.summary["test"] == whole.summary["test"]
