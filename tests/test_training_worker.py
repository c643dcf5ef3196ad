import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import TrainerState

from tutelage.errors import InputError, RunError
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training.jobs import job_key, read_failure, read_job, write_failure, write_job
from tutelage.training.progress import FILE, step_callback
from tutelage.training.watchdog import Watchdog
from tutelage.training.worker import run_stage

STAGES = """
import os, time
from pathlib import Path
from tutelage.errors import InputError, RunError
from tutelage.schema import TrainingReport

class Stage:
    name = "fake"

    def __init__(self, do: str = "train", mark: str = "", batch_size: int = 4) -> None:
        self.do, self.mark, self.batch_size = do, mark, batch_size

    def halved(self):
        return {"batch_size": self.batch_size // 2}

    def check(self) -> None:
        if self.do == "wrong":
            raise InputError("stages: fake: do: 'wrong' is wrong")

    def run(self, job):
        (job.out / "model.safetensors").write_text("half")
        print("training on", len(job.lessons), "lessons", flush=True)
        if self.mark:
            Path(self.mark).write_text(str(os.getpid()))
        if self.do == "sleep":
            time.sleep(60)
        if self.do == "eat" and self.batch_size > 2:
            raise MemoryError
        if self.do == "fail":
            raise RunError("the loss is not a number")
        if self.do == "crash":
            raise ZeroDivisionError("division by zero\\nand more")
        if self.do == "die":
            os.kill(os.getpid(), 9)
        with open("runs.txt", "a") as file:
            file.write("ran ")
        count = {"lessons": len(job.lessons)}
        return TrainingReport(stage="fake", steps=1, tokens=2, loss=0.5, seconds=0.1, metrics=count)
"""

HOLDER = """
import sys
from tutelage.plugins import Plugin
from tutelage.training.jobs import read_job
from tutelage.training.worker import run_stage
from pathlib import Path
run_stage(*read_job(Path(sys.argv[1])), timeout=100)
"""


@pytest.fixture
def job(base: Path, in_folder: Path) -> StageJob:
    (in_folder / f"{module(in_folder)}.py").write_text(STAGES)
    lessons = tuple(Lesson(problem_id=f"p{n}", cycle=1, question="q", text="täxt", origin="t") for n in range(3))
    return StageJob(1, base, None, in_folder / "checkpoints" / "cycle-001", lessons, 3, device="cpu")


def module(folder: Path) -> str:
    return f"stages_{folder.name.replace('-', '_')}"


def spec(**options: object) -> Plugin:
    return Plugin(name=f"{module(Path.cwd())}:Stage", options=options)


@pytest.mark.parametrize("mode", ["inline", "process"])
def test_a_checkpoint_appears_whole_and_is_not_made_twice(job: StageJob, mode: str) -> None:
    left = job.out.with_name("cycle-001.partial")
    left.mkdir(parents=True)
    (left / "rubbish").write_text("of a run that was killed")
    report = run_stage(spec(), job, mode=mode)
    assert report.metrics == {"lessons": 3}
    assert sorted(path.name for path in job.out.iterdir()) == ["model.safetensors", "training.json"]
    assert not left.exists()
    assert run_stage(spec(), job, mode=mode) == report
    assert Path("runs.txt").read_text() == "ran "
    if mode == "process":
        assert "training on 3 lessons" in job.out.with_name("cycle-001.log").read_text()


def test_another_job_under_the_same_name_is_trained(job: StageJob) -> None:
    run_stage(spec(), job, mode="inline")
    fewer = replace(job, lessons=job.lessons[:2])
    assert run_stage(spec(), fewer, mode="inline").metrics == {"lessons": 2}
    assert run_stage(spec(), fewer, mode="inline").metrics == {"lessons": 2}
    assert Path("runs.txt").read_text() == "ran ran "


def test_a_folder_that_is_no_checkpoint_is_left_alone(job: StageJob) -> None:
    job.out.mkdir(parents=True)
    (job.out / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="no finished checkpoint; move it away"):
        run_stage(spec(), job, mode="inline")
    assert (job.out / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("do", "error", "message"),
    [
        ("wrong", InputError, r"^stages: fake: do: 'wrong' is wrong$"),
        ("fail", RunError, r"failed: the loss is not a number; log: .*cycle-001\.log$"),
        ("crash", RunError, r"failed: ZeroDivisionError: division by zero; log: "),
        ("die", RunError, r"failed \(killed by SIGKILL; out of memory\?\): training on 3 lessons; log: "),
    ],
)
def test_a_failure_is_one_line(job: StageJob, do: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        run_stage(spec(do=do), job)
    assert "\n" not in str(caught.value)
    assert not job.out.exists()


def test_a_stage_that_takes_too_long_is_ended(job: StageJob) -> None:
    with pytest.raises(RunError, match=r"took more than 4 s and was ended"):
        run_stage(spec(do="sleep", mark="pid"), job, timeout=4)
    assert wait_until_gone(int(Path("pid").read_text()))


def test_a_silent_worker_is_ended_and_can_be_started_again(job: StageJob) -> None:
    with pytest.raises(
        RunError, match=r"neither took a step nor logged a line for 1.5 s \(training.watchdog\) and was"
    ):
        run_stage(spec(do="sleep", mark="pid"), job, watchdog=1.5)
    assert wait_until_gone(int(Path("pid").read_text()))
    assert not job.out.exists()
    assert run_stage(spec(), job, watchdog=60).steps == 1


def test_the_watchdog_hears_steps_and_lines(tmp_path: Path) -> None:
    log, steps = tmp_path / "log", tmp_path / "progress.json"
    impatient = Watchdog([log, steps], 0.05)
    assert not Watchdog([log, steps], None).silent()
    for said in (log, steps, log):
        time.sleep(0.06)
        with said.open("a") as file:
            file.write("step\n")
        assert not impatient.silent()
    time.sleep(0.06)
    assert impatient.silent()


def test_the_watchdog_hears_the_batches_of_a_long_step(tmp_path: Path) -> None:
    out = tmp_path / "out"
    note = step_callback(out)
    state = TrainerState(global_step=0, max_steps=2)
    impatient = Watchdog([out / FILE], 0.05)
    for _ in range(3):
        time.sleep(0.06)
        note.on_substep_end(None, state, None)
        assert not impatient.silent()
    note.on_step_end(None, state, None)
    assert json.loads((out / FILE).read_text()) == {"step": 0, "of": 2}
    note.on_train_end(None, state, None)
    assert not (out / FILE).exists()


def test_a_worker_that_ran_out_of_memory_is_started_again_with_half_the_batch(job: StageJob) -> None:
    report = run_stage(spec(do="eat"), job)
    assert report.metrics == {"lessons": 3, "memory_retries": 1}
    assert json.loads((job.out / "training.json").read_text())["report"]["metrics"] == report.metrics
    assert run_stage(spec(do="eat"), job) == report
    assert Path("runs.txt").read_text() == "ran "


def test_of_several_processes_the_first_to_fail_is_heard(tmp_path: Path) -> None:
    write_failure(tmp_path, RunError("step 3: the loss is nan"))
    write_failure(tmp_path, RuntimeError("Connection closed by peer"))
    assert str(read_failure(tmp_path)) == "step 3: the loss is nan"


def test_the_worker_dies_with_its_run(job: StageJob) -> None:
    write_job(Path("job.json"), spec(do="sleep", mark="pid"), job)
    run = subprocess.Popen([sys.executable, "-c", HOLDER, "job.json"])
    deadline = time.time() + 60
    while not (Path("pid").exists() and Path("pid").read_text()) and time.time() < deadline:
        time.sleep(0.05)
    worker = int(Path("pid").read_text())
    os.kill(worker, 0)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert wait_until_gone(worker)


def wait_until_gone(pid: int) -> bool:
    deadline = time.time() + 10
    while time.time() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            if state == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_a_job_survives_the_file(job: StageJob) -> None:
    full = replace(job, start=job.base, task={"name": "quiz", "options": {"n": 3}})
    write_job(Path("job.json"), spec(do="train"), full)
    assert read_job(Path("job.json")) == (spec(do="train"), full)
    broken = json.loads(Path("job.json").read_text())
    del broken["job"]["seed"]
    Path("job.json").write_text(json.dumps(broken))
    with pytest.raises(InputError, match="not a training job"):
        read_job(Path("job.json"))


def test_the_key_is_about_the_work_not_the_place(job: StageJob) -> None:
    moved = replace(job, out=Path("/elsewhere/cycle-001"))
    assert job_key(spec(), moved) == job_key(spec(), job)
    for change in ({"seed": 4}, {"lessons": job.lessons[1:]}, {"precision": "float32"}):
        assert job_key(spec(), replace(job, **change)) != job_key(spec(), job)
    assert job_key(spec(do="sleep"), job) != job_key(spec(), job)


def test_a_real_stage_in_a_process_leaves_a_checkpoint_that_loads(job: StageJob) -> None:
    from tutelage.checkpoints import load_model

    report = run_stage(Plugin(name="sft", options={"max_steps": 1, "mode": "full"}), job)
    assert report.steps == 1
    load_model(job.base, job.out, dtype="float32", device="cpu", merge=True)
