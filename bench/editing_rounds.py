"""Edit facts into a student round after round: what `editing.py` measures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from editing_arms import Arm, Stages
from editing_student import Bench

from tutelage import jsonl
from tutelage.answers import MARKER
from tutelage.hashing import content_hash
from tutelage.plugins import Plugin
from tutelage.schema import Lesson, Problem, Split
from tutelage.seams import StageJob
from tutelage.training.worker import run_stage


def edit(bench: Bench, name: str, arm: Arm) -> dict[str, Any]:
    """Edit all facts in, round after round, and return what is reported of it."""
    given = bench.given
    folder = bench.folder / f"{name}-{given.batch}-{content_hash(asdict(arm), length=6)}"
    problems = bench.task.splits()[Split.TRAIN]
    rounds = [problems[start : start + given.batch] for start in range(0, len(problems), given.batch)]
    rows = list(jsonl.read(folder / "rounds.jsonl"))
    rehearsal = bench.rehearsal() if arm.rehearsed else []
    taught = [Lesson.model_validate(lesson) for row in rows for lesson in row["lessons"]]
    for number in range(len(rows), len(rounds)):
        start = rows[-1]["checkpoint"] if rows else None
        new = _lessons(bench, arm, rounds[number], number)
        replayed = [*_turn(rehearsal, arm.rehearsed, number), *_again(taught, arm.earlier, number)]
        row = _round(bench, arm.stages, folder, number, start, [*arm.repeat * new, *replayed])
        taught += new
        rows.append({**row, "lessons": [lesson.model_dump(mode="json") for lesson in new]})
        jsonl.append(folder / "rounds.jsonl", rows[-1:])
        _only(folder, rows[-1]["checkpoint"])
        print(f"{name}: {number + 1} of {len(rounds)} rounds, loss {row['loss']:.3f}", flush=True)
    if arm.last and len(rows) == len(rounds):
        row = _round(bench, arm.last, folder, len(rounds), rows[-1]["checkpoint"], [*taught, *rehearsal[: len(taught)]])
        rows.append({**row, "lessons": []})
        jsonl.append(folder / "rounds.jsonl", rows[-1:])
    return {
        "after": bench.report(rows[-1]["checkpoint"]),
        "tokens": sum(row["tokens"] for row in rows),
        "steps": sum(row["steps"] for row in rows),
        "train_seconds": round(sum(row["seconds"] for row in rows), 1),
    }


def _only(folder: Path, checkpoint: str) -> None:
    """Remove the checkpoints of former rounds."""
    for old in folder.glob("round-*"):
        if old.is_dir() and old != Path(checkpoint):
            shutil.rmtree(old)


def _round(
    bench: Bench, stages: Stages, folder: Path, number: int, start: str | None, lessons: Sequence[Lesson]
) -> dict[str, Any]:
    """Train stages on a round's lessons, each from the checkpoint of the one before."""
    began, tokens, steps, loss = time.perf_counter(), 0, 0, 0.0
    bench.engine.release()
    for place, stage in enumerate(stages):
        out = folder.absolute() / f"round-{number:03d}-{place}"
        job = StageJob(
            cycle=number + 1,
            base=bench.base,
            start=None if start is None else Path(start),
            out=out,
            lessons=tuple(lessons),
            seed=bench.seed + number,
            device=bench.given.device,
            task=bench.task_spec,
        )
        made = run_stage(Plugin.model_validate(stage), job, mode="inline")
        start, tokens, steps, loss = str(out), tokens + made.tokens, steps + made.steps, made.loss
    took = round(time.perf_counter() - began, 2)
    return {"round": number, "checkpoint": start, "tokens": tokens, "steps": steps, "loss": loss, "seconds": took}


def _lessons(bench: Bench, arm: Arm, problems: Sequence[Problem], number: int) -> list[Lesson]:
    """Return a lesson for each fact that states it, and if the arm wants it for its paraphrases."""
    return [
        Lesson(
            problem_id=problem.id,
            cycle=number + 1,
            question=question,
            text=str(problem.reference).removesuffix(f"\n{MARKER} {problem.answer}"),
            origin="reference",
            system=bench.task.instruction,
            answer=problem.answer,
        )
        for problem in problems
        for question in (problem.question, *(bench.paraphrases(problem) if arm.paraphrased else ()))
    ]


def _turn(lessons: Sequence[Lesson], count: int, number: int) -> list[Lesson]:
    """Return so many lessons, in turns from round to round."""
    count = min(count, len(lessons))
    return [lessons[(number * count + place) % len(lessons)] for place in range(count)]


def _again(taught: Sequence[Lesson], count: int, number: int) -> list[Lesson]:
    """Return so many earlier lessons: the latest, which are lost the soonest, and as many of all in turns."""
    latest = taught[-(count // 2) :] if count > 1 else ()
    return [*latest, *_turn(taught, count - len(latest), number)]
