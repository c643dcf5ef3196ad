"""Run a training stage: in a process of its own, so that device memory is freed and a crash costs one stage, or here.

`python -m tutelage.training.worker JOB.json` is the process. Its standard input is a pipe that the run holds open:
when the run dies, however it dies, the pipe ends and the worker ends with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from ..errors import InputError, RunError
from ..hardware import keep_memory
from ..plugins import Plugin, build
from ..schema import TrainingReport
from ..seams import Stage, StageJob
from .jobs import finished_report, job_key, read_failure, read_job, write_failure, write_job, write_result
from .memory import OutOfMemory, is_out_of_memory, within_memory
from .progress import FILE, STOP
from .watchdog import Watchdog

_READ_FROM_LOG = 65536


@dataclass(frozen=True)
class _Terms:
    """How a worker process is started, and when it is ended."""

    launch: tuple[str, ...]
    timeout: float
    watchdog: float | None
    stop: threading.Event


def run_stage(
    spec: Plugin,
    job: StageJob,
    *,
    mode: Literal["process", "inline"] = "process",
    launch: tuple[str, ...] = (),
    timeout: float = 6 * 3600.0,
    watchdog: float | None = None,
    stop: threading.Event | None = None,
) -> TrainingReport:
    """Train one stage; the checkpoint appears in `job.out` whole or not at all.

    If it is there already, made by the same job, its report is returned and nothing is trained. If memory runs out, the
    stage is tried once more with half the batch (see `memory.within_memory`).

    Args:
        spec: The stage by name, with its options.
        job: What it gets.
        mode: `process`, or `inline` in this process.
        launch: Arguments for `accelerate launch`; with them the worker is started through it.
        timeout: Seconds after which a worker process is ended.
        watchdog: Seconds after which a worker process is ended that neither logs a line nor takes a step; None never.
        stop: Ends the worker process when it is set.

    Raises:
        InputError: If the options are wrong or the start cannot be loaded.
        RunError: If training fails, in one line with the log's path.
    """
    key = job_key(spec, job)
    done = finished_report(job.out, key)
    if done is not None:
        return done
    terms = _Terms(launch, timeout, watchdog, stop or threading.Event())
    report = within_memory(spec, partial(_attempt, job=job, key=key, mode=mode, terms=terms))
    unfinished = _unfinished(job.out)
    write_result(unfinished, key, report)
    shutil.rmtree(job.out, ignore_errors=True)  # empty, or made by another job under the same name
    unfinished.rename(job.out)
    return report


def _unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.partial")


def _attempt(spec: Plugin, job: StageJob, key: str, mode: str, terms: _Terms) -> TrainingReport:
    """Train a stage into the folder of what is unfinished, which is emptied before."""
    folder = _unfinished(job.out)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inner = replace(job, out=folder)
    if mode == "inline":
        _run_inline(spec, inner, key, terms.stop)
    else:
        _run_process(spec, inner, key, job.out, terms)
    report = finished_report(folder, key)
    if report is None:
        raise RunError(f"stage {spec.name!r} ended without a checkpoint; log: {_log(job.out)}")
    return report


def _build(spec: Plugin) -> Stage:
    stage: Stage = build("stages", spec)
    stage.check()
    return stage


def _log(out: Path) -> Path:
    return out.with_name(f"{out.name}.log")


def _run_inline(spec: Plugin, job: StageJob, key: str, stop: threading.Event) -> None:
    told = STOP.set(stop)
    try:
        write_result(job.out, key, _build(spec).run(job))
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemory from error
        raise
    finally:
        STOP.reset(told)


def _run_process(spec: Plugin, job: StageJob, key: str, out: Path, terms: _Terms) -> None:
    """Start the worker, wait for it, and turn its failure into one line."""
    file = out.with_name(f"{out.name}.job.json")
    write_job(file, spec, job)
    module = ["-m", "tutelage.training.worker", str(file), key]
    command = [sys.executable, *(["-m", "accelerate.commands.launch", *terms.launch] if terms.launch else []), *module]
    with _log(out).open("wb") as log:
        worker = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(job.device, bool(terms.launch)),
            start_new_session=True,  # so that it can be ended with all that it started
        )
        try:
            code = _wait(worker, terms, Watchdog([_log(out), job.out / FILE], terms.watchdog))
        finally:
            _end(worker)
    if isinstance(code, str):
        raise RunError(f"stage {spec.name!r} {code} and was ended; log: {_log(out)}")
    failure = read_failure(job.out)
    if isinstance(failure, InputError | OutOfMemory):
        raise failure
    if code != 0:
        said = failure or _last_line(_log(out))
        raise RunError(f"stage {spec.name!r} failed{_by_signal(code)}: {said}; log: {_log(out)}") from failure
    file.unlink()


def _environment(device: str, launched: bool) -> dict[str, str]:
    """Show a worker one GPU, unless `accelerate launch` shares them out: TRL refuses several in one process."""
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
    if launched or not (device == "auto" or device.startswith("cuda")):
        return environment
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    number = int(device.partition(":")[2] or 0)
    if visible is None:
        return {**environment, "CUDA_VISIBLE_DEVICES": str(number)}
    shown = [name for name in visible.split(",") if name]
    return {**environment, "CUDA_VISIBLE_DEVICES": ",".join(shown[number : number + 1])}


def _wait(worker: subprocess.Popen[bytes], terms: _Terms, watchdog: Watchdog) -> int | str:
    """Wait for a worker, looking every half second whether it should go on; return its exit code, or why it may not."""
    end = time.monotonic() + terms.timeout
    while True:
        try:
            return worker.wait(min(0.5, max(0.0, end - time.monotonic())))
        except subprocess.TimeoutExpired:
            if terms.stop.is_set():
                return "was told to stop"
            if time.monotonic() >= end:
                return f"took more than {terms.timeout:g} s"
            if watchdog.silent():
                return f"neither took a step nor logged a line for {terms.watchdog:g} s (training.watchdog)"


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker that still runs, and what it started; one that has ended is left alone."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    if worker.stdin:
        worker.stdin.close()


def _by_signal(code: int) -> str:
    if code >= 0:
        return ""
    hint = "; out of memory?" if -code == signal.SIGKILL else ""
    return f" (killed by {signal.Signals(-code).name}{hint})"


def _last_line(log: Path) -> str:
    """Return the log's last line with anything to say, cut to a readable length."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _READ_FROM_LOG))
        lines = [line.strip() for line in file.read().decode("utf-8", errors="replace").splitlines()]
    said = [line for line in lines if line and not set(line) <= set("=-~^ ")]
    return said[-1][:500] if said else "it said nothing"


def main(arguments: list[str]) -> None:
    """Be the worker: run the job in a file, named by its key."""
    keep_memory()
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    file, key = Path(arguments[0]), arguments[1]
    spec, job = read_job(file)
    job = replace(job, device="cuda" if job.device.startswith("cuda") else job.device)
    try:
        report = _build(spec).run(job)
    except Exception as error:
        write_failure(job.out, error)
        raise  # the log gets the whole of it
    if os.environ.get("RANK", "0") == "0":
        write_result(job.out, key, report)


def _end_with_the_run() -> None:
    """Wait for the end of standard input, which nothing is ever written to, then end without ado.

    The descriptor itself is read: a thread inside `sys.stdin` would hold its lock when the worker ends by itself.
    """
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
