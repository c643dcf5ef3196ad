"""A training job on disk: what the worker process reads, and what it leaves behind."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..checkpoints import fingerprint
from ..errors import InputError, RunError
from ..hashing import content_hash
from ..jsonl import read_json, write_json
from ..plugins import Plugin
from ..schema import SCHEMA_VERSION, Lesson, Strategy, TrainingReport
from ..seams import StageJob, TrainedStage
from ..secret import without_secrets
from .memory import OutOfMemory, is_out_of_memory

FAILURE = "failure.json"
RESULT = "training.json"
"""Lies in a finished checkpoint: which job made it, and its report."""
_EARLIER = TypeAdapter(tuple[TrainedStage, ...])


def write_job(path: Path, spec: Plugin, job: StageJob) -> None:
    """Write a stage and its job, lessons included, as one JSON document."""
    values: dict[str, Any] = {field.name: getattr(job, field.name) for field in fields(job)}
    values |= {name: None if values[name] is None else str(values[name]) for name in ("base", "start", "out", "logs")}
    values["lessons"] = [lesson.model_dump(mode="json") for lesson in job.lessons]
    values["strategies"] = [strategy.model_dump(mode="json") for strategy in job.strategies]
    values["earlier"] = _EARLIER.dump_python(job.earlier, mode="json")
    write_json(path, {"schema": SCHEMA_VERSION, "stage": spec.model_dump(mode="json"), "job": values})


def read_job(path: Path) -> tuple[Plugin, StageJob]:
    """Read what `write_job` wrote.

    Raises:
        InputError: If the file is not a job.
    """
    try:
        document = read_json(path)
        values = document["job"]
        job = StageJob(
            **{
                **values,
                "base": Path(values["base"]),
                "start": Path(values["start"]) if values["start"] else None,
                "out": Path(values["out"]),
                "logs": Path(values["logs"]) if values["logs"] else None,
                "lessons": tuple(Lesson.model_validate(lesson) for lesson in values["lessons"]),
                "strategies": tuple(Strategy.model_validate(strategy) for strategy in values["strategies"]),
                "earlier": _EARLIER.validate_python(values["earlier"]),
            }
        )
        return Plugin.model_validate(document["stage"]), job
    except (KeyError, TypeError, ValidationError) as error:
        raise InputError(f"{path}: not a training job of this version ({type(error).__name__})") from error


def job_key(spec: Plugin, job: StageJob) -> str:
    """Name a job by all that decides its outcome; where the run directory lies does not."""
    lessons = [lesson.model_dump(mode="json") for lesson in job.lessons]
    start = None if job.start is None else _made_by(job.start)
    strategies = [strategy.model_dump(mode="json") for strategy in job.strategies]
    where = [job.device, job.precision]
    earlier = [[one.cycle, one.name, one.start and _made_by(one.start), _made_by(one.out)] for one in job.earlier]
    told = [spec.model_dump(mode="json"), fingerprint(job.base), start, lessons, strategies, job.seed, where]
    return content_hash(*told, dict(job.task), dict(job.checker), earlier)


def _made_by(checkpoint: Path) -> str:
    """Name a checkpoint by the job that made it; by its folder's name if no job of ours did."""
    if not (checkpoint / RESULT).is_file():
        return checkpoint.name
    return str(_result(checkpoint)["job"])


def write_result(folder: Path, key: str, report: TrainingReport) -> None:
    """Put the report into a checkpoint: from now on it is finished."""
    write_json(folder / RESULT, {"schema": SCHEMA_VERSION, "job": key, "report": report.model_dump(mode="json")})


def finished_report(folder: Path, key: str) -> TrainingReport | None:
    """Return the report of a finished checkpoint; None if there is none or another job made it.

    Raises:
        RunError: If the folder holds something that is no checkpoint: it is not ours to overwrite.
    """
    if not (folder / RESULT).is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RunError(f"{folder}: holds no {RESULT}, so it is no finished checkpoint; move it away")
        return None
    result = _result(folder)
    return TrainingReport.model_validate(result["report"]) if result["job"] == key else None


def write_failure(folder: Path, error: Exception) -> None:
    """Leave behind why a worker failed; a log alone would end with what the launcher says of it.

    Of several processes, the first to fail is heard: the others then fail because it is gone.
    """
    if (folder / FAILURE).is_file():
        return
    message = str(error) if isinstance(error, InputError | RunError) else f"{type(error).__name__}: {error}"
    line = (without_secrets(message).strip().splitlines() or [type(error).__name__])[0][:500]
    memory = is_out_of_memory(error)
    write_json(folder / FAILURE, {"input": isinstance(error, InputError), "memory": memory, "message": line})


def read_failure(folder: Path) -> InputError | RunError | None:
    """Return why a worker failed, if it had the time to say so."""
    if not (folder / FAILURE).is_file():
        return None
    failure = read_json(folder / FAILURE)
    if failure["memory"]:
        return OutOfMemory()
    return InputError(failure["message"]) if failure["input"] else RunError(failure["message"])


def _result(folder: Path) -> dict[str, Any]:
    """Return the content of `training.json`.

    Raises:
        RunError: If it is not what `write_result` wrote.
    """
    result = read_json(folder / RESULT)
    try:
        return {"job": str(result["job"]), "report": dict(result["report"])}
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder / RESULT}: changed by hand? move the checkpoint away") from error
