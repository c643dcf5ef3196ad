"""Consolidate: the training stages turn lessons into a new checkpoint, the candidate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from langgraph.runtime import Runtime

from ..lineage import lineage
from ..model_thread import on_model_thread
from ..plugins import Plugin
from ..schema import BASE, Lesson, Strategy, TrainingReport
from ..seams import StageJob
from ..training.memory import RETRIES
from ..training.progress import read_progress
from ..training.worker import run_stage
from .context import RunContext
from .earlier import checkpoint_path, earlier_stages
from .replay import count_problems, replayed_lessons
from .state import CycleState
from .step import step
from .strategise import write_library

_POLL_SECONDS = 1.0


@step
async def consolidate(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Run the stages in order; each starts from the checkpoint of the one before."""
    context, cycle = runtime.context, state["cycle"]
    settings = context.config.training
    lessons = training_lessons(context, cycle, state["student"])
    if len(lessons) < settings.min_lessons:
        note = f"{len(lessons)} lessons are fewer than training.min_lessons ({settings.min_lessons})"
        return CycleState(cycle=cycle, candidate=None, candidate_note=note)
    strategies: tuple[Strategy, ...] = ()
    if any(getattr(stage, "takes_strategies", False) for stage in context.stages):
        strategies = await write_library(context, runtime.stream_writer, cycle, state["student"])
        if not strategies:
            return CycleState(cycle=cycle, candidate=None, candidate_note="no weakness has a verified rationale")
    replayed = replayed_lessons(context, cycle, state["student"])
    lessons += replayed
    counts = {"lessons": len(lessons), "replayed": count_problems(replayed)}
    lessons += context.rundir.rehearsal()
    earlier = earlier_stages(context, state["student"])
    context.engine.release()
    start = None if settings.start == "base" or state["student"] == BASE else context.rundir.path / state["student"]
    reports = []
    for number in range(len(settings.stages)):
        told = earlier if getattr(context.stages[number], "takes_earlier", False) else ()
        job = replace(stage_job(context, cycle, number, start, lessons), strategies=strategies, earlier=told)
        spec = settings.stages[number]
        runtime.stream_writer({"kind": "training", "cycle": cycle, "stage": spec.name, **counts})
        report = await _run(context, runtime, spec, job)
        _tell(runtime, cycle, report)
        reports.append(report)
        start = job.out
    assert start is not None
    context.rundir.write_training(cycle, reports)
    return CycleState(cycle=cycle, candidate=context.rundir.relative(start), candidate_note="")


def _tell(runtime: Runtime[RunContext], cycle: int, report: TrainingReport) -> None:
    """Tell what a stage did, and if it took a retry."""
    if retries := report.metrics.get(RETRIES):
        told = f"{report.stage}: memory ran out; the batch was halved ({retries:g} x), and the step stayed the same"
        runtime.stream_writer({"kind": "note", "cycle": cycle, "text": told})
    runtime.stream_writer({"kind": "trained", "cycle": cycle, **report.model_dump(mode="json")})


async def _run(context: RunContext, runtime: Runtime[RunContext], spec: Plugin, job: StageJob) -> TrainingReport:
    """Run one stage in a thread, and tell how far it has come."""
    settings = context.config.training
    stop = threading.Event()
    run = partial(
        run_stage,
        spec,
        job,
        mode=settings.worker,
        launch=settings.launch,
        timeout=settings.timeout,
        watchdog=settings.watchdog,
        stop=stop,
    )
    elsewhere = asyncio.to_thread if settings.worker == "process" else on_model_thread
    running = asyncio.ensure_future(elsewhere(run))
    told = None
    try:
        while not running.done():
            await asyncio.wait([running], timeout=_POLL_SECONDS)
            progress = read_progress(job.out)
            if progress and progress != told:
                told = progress
                shown = {"node": f"{spec.name}, step", "done": progress.step, "total": progress.of}
                runtime.stream_writer({"kind": "progress", "cycle": job.cycle, **shown})
        return await running
    except asyncio.CancelledError:
        stop.set()  # Ctrl-C: the worker must not train on behind a lock that is given back
        await asyncio.wait([running])
        raise


def training_lessons(context: RunContext, cycle: int, student: str) -> list[Lesson]:
    """Return what is trained on: this cycle's lessons, or with `start: base` all that the student was taught too.

    A problem's newer lessons take the place of its older ones.
    """
    if context.config.training.start == "last":
        return context.rundir.lessons(cycle)
    before = [report.cycle for report in lineage(context.rundir.reports(), student)]
    lessons = [(c, lesson) for c in [*before, cycle] for lesson in context.rundir.lessons(c)]
    newest = {lesson.problem_id: c for c, lesson in lessons}
    place = {problem: at for at, problem in enumerate(dict.fromkeys(lesson.problem_id for _, lesson in lessons))}
    kept = [lesson for c, lesson in lessons if newest[lesson.problem_id] == c]
    return sorted(kept, key=lambda lesson: place[lesson.problem_id])


def stage_job(context: RunContext, cycle: int, number: int, start: Path | None, lessons: list[Lesson]) -> StageJob:
    """Return the job of one stage; the last stage's checkpoint is the cycle's."""
    config = context.config
    checker = context.checker.spec
    return StageJob(
        cycle=cycle,
        base=context.base,
        start=start,
        out=checkpoint_path(context, cycle, number),
        lessons=tuple(lessons),
        seed=config.seed * 1000 + cycle,
        device=config.student.device,
        precision=config.student.precision,
        task={**config.task.model_dump(mode="json"), "seed": config.seed},
        checker={} if checker is None else checker.model_dump(mode="json"),
        title=title_of([spec.name for spec in config.training.stages], cycle, number),
        logs=context.rundir.path.absolute(),
    )


def title_of(stages: Sequence[str], cycle: int, number: int) -> str:
    """Name the training of one stage in a cycle; of stages with the same name, each has its number too."""
    name = stages[number].replace(":", ".")
    same = [place for place, other in enumerate(stages) if other == stages[number]]
    return f"cycle-{cycle:03d}-{name}" + (f"-{same.index(number) + 1}" if len(same) > 1 else "")
