"""Compare the training node with a bare TRL script: the same model, lessons, order, seed and options.

    OMP_NUM_THREADS=1 python bench/overhead.py --student tiny
    OMP_NUM_THREADS=2 python bench/overhead.py --student smollm2-135m-instruct --lessons 64 --steps 40

Arms: `bare` is `bare_sft.py` in a process of its own; `process` and `inline` are `training.worker.run_stage` in either
mode, the stage `sft`; `inline, TRL's loss` has our way of scoring the supervised positions alone (training/loss.py)
switched off. Each arm is run `--repeats` times, in turn; the seconds are medians. What is timed is a whole process,
imports included; for `process` it is the call in a process that runs already, as in a run, which
starts the worker. Lessons come in their own order (`train_sampling_strategy: sequential`), since the stage's own order
is not TRL's. The curves are compared step by step; the node may take 2 s + 1 % more than the bare script.

Writes bench/results/overhead_STUDENT.json (`--out` for another file).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from made_on import commit, made_on

from tutelage.agents.resolve import resolve_student
from tutelage.hardware import pick_device, pick_precision
from tutelage.plugins import Plugin
from tutelage.schema import Lesson
from tutelage.seams import StageJob
from tutelage.training import loss
from tutelage.training.session import LOSSES
from tutelage.training.sft import SFTStage, row_of
from tutelage.training.worker import run_stage

HERE = Path(__file__).parent
ARMS = ("bare", "process", "inline", "inline, TRL's loss")
ALLOWED = (2.0, 0.01)
"""Seconds, and share of the bare script's time, that the node may take more."""
PACKAGES = ("tutelage", "torch", "transformers", "trl", "peft", "accelerate")


def make_lessons(count: int) -> tuple[Lesson, ...]:
    """Return sums with worked answers of several lengths."""
    pairs = [(7 * n % 90 + 3, 11 * n % 80 + 5) for n in range(count)]
    return tuple(
        Lesson(
            problem_id=f"p{n}",
            cycle=1,
            question=f"State the final answer to the following arithmetic problem: {a} + {b} =",
            text=f"{a} + {b} = {a} + {b // 10 * 10} + {b % 10}. " * (n % 3 + 1) + f"Answer: {a + b}",
            system="Work step by step. End with 'Answer:' and the result.",
            origin="bench",
        )
        for n, (a, b) in enumerate(pairs)
    )


def make_job(student: str, lessons: int, out: Path) -> StageJob:
    """Return what a stage gets."""
    device = pick_device("auto")
    precision = pick_precision("auto", device)
    base = resolve_student(student)
    return StageJob(1, base, None, out, make_lessons(lessons), seed=0, device=device, precision=precision)


def stage_options(steps: int, mode: str, batch_size: int) -> dict[str, Any]:
    """Return the options of the stage."""
    order = {"train_sampling_strategy": "sequential"}
    return {"max_steps": steps, "mode": mode, "batch_size": batch_size, "max_length": 512, "extra": order}


def bare_job(job: StageJob, options: dict[str, Any]) -> dict[str, Any]:
    """Return the same work for the bare script, in TRL's names."""
    stage = SFTStage(**options)
    arguments = {
        **stage.options,
        **(stage.extra or {}),
        "completion_only_loss": True,
        "activation_checkpointing": False,
        "bf16": job.precision == "bfloat16",
        "use_cpu": job.device == "cpu",
        "dataloader_pin_memory": job.device != "cpu",
        "logging_steps": 1,
        "report_to": [],
        "save_strategy": "no",
        "seed": job.seed,
    }
    lora = {"r": stage.rank, "lora_alpha": stage.alpha, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    rows = [{name: row_of(lesson)[name] for name in ("prompt", "completion")} for lesson in job.lessons]
    given = {"rows": rows, "arguments": arguments, "lora": lora if stage.mode == "lora" else None}
    return {"base": str(job.base), "out": str(job.out), **given}


def run_arm(arm: str, terms: argparse.Namespace, out: Path) -> tuple[float, list[float]]:
    """Train in one way; return the seconds and the loss of each step."""
    job, options = make_job(terms.student, terms.lessons, out), stage_options(terms.steps, terms.mode, terms.batch_size)
    began = time.perf_counter()
    if arm == "process":
        run_stage(Plugin(name="sft", options=options), job)
    elif arm == "bare":
        file = out.with_suffix(".job.json")
        file.write_text(json.dumps(bare_job(job, options)))
        subprocess.run([sys.executable, str(HERE / "bare_sft.py"), str(file)], check=True, capture_output=True)
    else:
        again = ["--arm", arm, "--into", str(out), *arguments_of(terms)]
        subprocess.run([sys.executable, str(HERE / "overhead.py"), *again], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    return seconds, json.loads((out / LOSSES).read_text())["losses"]


def arguments_of(terms: argparse.Namespace) -> list[str]:
    """Return the arguments that say what is trained."""
    names = ("student", "lessons", "steps", "mode", "batch_size")
    return [text for name in names for text in (f"--{name.replace('_', '-')}", str(getattr(terms, name)))]


def run_inline(terms: argparse.Namespace) -> None:
    """Be the process of an inline arm."""
    if terms.arm != "inline":
        loss.has_plain_head = lambda model: False
    job = make_job(terms.student, terms.lessons, terms.into)
    run_stage(Plugin(name="sft", options=stage_options(terms.steps, terms.mode, terms.batch_size)), job, mode="inline")


def compared(seconds: dict[str, list[float]], curves: dict[str, list[float]]) -> dict[str, Any]:
    """Return each arm's median seconds, how much more than the bare script's that is, and how far its curve is off."""
    bare = median(seconds["bare"])
    allowed = ALLOWED[0] + ALLOWED[1] * bare
    return {
        arm: {
            "seconds": round(median(seconds[arm]), 2),
            "more_than_bare": round(median(seconds[arm]) - bare, 2),
            "allowed": round(allowed, 2),
            "within": median(seconds[arm]) - bare <= allowed,
            "largest_difference_of_loss": max(abs(a - b) for a, b in zip(curves[arm], curves["bare"], strict=True)),
            "losses": curves[arm],
        }
        for arm in seconds
    }


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--student", default="tiny")
    parser.add_argument("--lessons", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--mode", default="lora", choices=["lora", "full"])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run all arms and write the file."""
    terms = arguments()
    if terms.arm:
        run_inline(terms)
        return
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    curves: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(terms.repeats):
            for arm in ARMS:
                spent, curves[arm] = run_arm(arm, terms, Path(folder) / f"{ARMS.index(arm)}-{repeat}")
                seconds[arm].append(spent)
                print(f"{arm}: {spent:.1f} s", flush=True)
    what = {name: getattr(terms, name) for name in ("student", "lessons", "steps", "mode", "batch_size", "repeats")}
    threads = os.environ.get("OMP_NUM_THREADS", "")
    command = (
        f"OMP_NUM_THREADS={threads} python bench/overhead.py {' '.join(arguments_of(terms))} --repeats {terms.repeats}"
    )
    found = {
        "schema": 1,
        "command": command,
        "commit": commit(),
        **made_on(PACKAGES),
        **what,
        "arms": compared(seconds, curves),
    }
    out = terms.out or HERE / "results" / f"overhead_{terms.student.split('-')[0]}.json"
    out.write_text(json.dumps(found, indent=1) + "\n")
    for arm, row in found["arms"].items():
        told = f"{row['seconds']} s, {row['more_than_bare']:+} s, loss off by {row['largest_difference_of_loss']:.1e}"
        print(f"{arm}: {told} at most")


if __name__ == "__main__":
    main()
