"""What every stage does around its trainer: load the start, name the lessons' messages, save, check, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from ..checkpoints import load_model, load_tokenizer, read_note, save_checkpoint, weights_of
from ..errors import InputError, RunError
from ..hardware import pick_device, pick_precision
from ..jsonl import write_json
from ..refusal import first_refused
from ..schema import SCHEMA_VERSION, Lesson, TrainingReport
from ..seams import StageJob
from ..student_prompt import student_prompt
from . import adapter
from .checks import check_saved
from .layers import adapted_layers, chosen_layers, freeze_others, skeleton
from .limits import check_rows, limits_of
from .progress import step_callback
from .reporting import reporting

LOSSES = "losses.json"
"""Lies in a finished checkpoint: the loss of each step of its stage."""


@dataclass
class Session:
    """A stage at work: what it starts from, and where its checkpoint goes."""

    stage: str
    job: StageJob
    setup: adapter.Setup
    merge_at_end: bool
    """Whether a new adapter was put on full weights, so that only full weights can say what was learnt."""
    began: float


def check_fields(stage: Any) -> None:
    """Refuse options that are not what their annotations say, also of a stage that was made in Python.

    Args:
        stage: A dataclass with a `name`.

    Raises:
        InputError: Naming the option.
    """
    values = {field.name: getattr(stage, field.name) for field in fields(stage)}
    try:
        TypeAdapter(type(stage)).validate_python(values)
    except ValidationError as error:
        raise InputError(f"stages: {stage.name}: {first_refused(error, values)}") from error


@contextmanager
def session(
    stage: str,
    job: StageJob,
    rows: Sequence[dict[str, Any]],
    trained: adapter.Trained,
    room: int = 0,
    report_to: Sequence[str] = (),
) -> Iterator[Session]:
    """Load what a stage starts from.

    A checkpoint is relative to the base. So in mode `lora` the start's own adapter is trained on, with the rank it has,
    if it is on the layers that are to be trained; over other weights than the base's a new adapter is trained, merged
    and saved as full weights. In mode `full`, and under a new adapter, a start's adapter is merged first, in float32.

    Args:
        stage: Its name.
        job: What it got.
        rows: What it trains on, as TRL rows.
        trained: What of the student it trains.
        room: Tokens that the student writes behind each row at most.
        report_to: Trackers that get what is logged.

    Raises:
        InputError: If the base or the start cannot be loaded, nothing of it would be trained, or its chat template
            loses an answer.
        RunError: If a row does not fit the student's context or vocabulary.
    """
    began = time.perf_counter()
    tokenizer = load_tokenizer(job.base)
    device = pick_device(job.device)
    begun = _load_start(job, trained, device)
    check_rows(tokenizer, limits_of(begun.model.config), rows, room)
    if begun.layers and trained.mode == "full":
        freeze_others(begun.model, begun.layers)
    with TemporaryDirectory(prefix="tutelage-") as folder, reporting(job, report_to):
        setup = adapter.Setup(
            model=begun.model,
            tokenizer=tokenizer,
            rows=rows,
            lora=adapter.LoraOptions(trained.rank, trained.alpha, begun.layers) if begun.new_adapter else None,
            device=device,
            precision=pick_precision(job.precision, device),
            seed=job.seed,
            folder=Path(folder),
            title=f"{job.logs.resolve().name} {job.title}" if job.logs else job.title,
        )
        yield Session(stage, job, setup, merge_at_end=begun.new_adapter and begun.taught, began=began)


class _Start(NamedTuple):
    """What a stage starts from, loaded."""

    model: Any
    layers: tuple[str, ...]
    """Those that are trained; none if all are."""
    new_adapter: bool
    """Whether an adapter is to be put on the model; else its own is trained on, or its weights are."""
    taught: bool
    """Whether the weights are other than the base's."""


def _load_start(job: StageJob, trained: adapter.Trained, device: str) -> _Start:
    start = None if job.start is None else weights_of(job.start)
    layers = () if trained.everything else tuple(chosen_layers(skeleton(job.base), trained.modules, trained.band))
    lora = trained.mode == "lora"
    continued = lora and start is not None and read_note(start).kind == "adapter" and _is_on(start, layers)
    model = load_model(job.base, start, dtype="float32", device=device, merge=not continued)
    return _Start(model, layers, new_adapter=lora and not continued, taught=start is not None)


def _is_on(start: Path, layers: Sequence[str]) -> bool:
    return not layers or adapted_layers(start) == set(layers)


def prompt_of(lesson: Lesson) -> list[dict[str, str]]:
    """Return the messages that the student sees for a lesson's question: those it is examined with."""
    return student_prompt(lesson.system, lesson.question)


def train(trainer: Any, out: Path) -> float:
    """Run a trainer to its end, noting each step in the folder `out`, and return the seconds it took.

    Raises:
        RunError: If nothing is to be trained, it did not take a single step, or the loss was no finite number.
    """
    began = time.perf_counter()
    if not any(weight.requires_grad for weight in trainer.model.parameters()):
        raise RunError("no weight of the student takes gradients, so nothing would be trained; mend modules or band")
    trainer.add_callback(step_callback(out))
    trainer.train()
    if trainer.state.global_step == 0:
        raise RunError("training took no step; raise max_steps or epochs, or lower batch_size")
    return time.perf_counter() - began


class Interpolation:
    """Goes only part of the way from the start to what was trained.

    Averaging the weights before and after fine-tuning keeps most of what was learnt and gives up less of what was known
    (WiSE-FT, Wortsman et al. 2022, arXiv 2109.01903). With an adapter, its own weights are averaged.
    """

    def __init__(self, model: Any, share: float) -> None:
        """Remember the weights that will be trained, unless the whole way is gone."""
        self._share = share
        trained = model.named_parameters() if share < 1 else ()
        self._before = {name: weight.detach().clone() for name, weight in trained if weight.requires_grad}

    def apply(self, model: Any) -> None:
        """Move each trained weight back to `before + share * (after - before)`."""
        for name, weight in model.named_parameters():
            if name in self._before:
                weight.data.lerp_(self._before[name].to(weight.device), 1 - self._share)


def finish(work: Session, trainer: Any) -> None:
    """Save the checkpoint, load it back and compare.

    Raises:
        RunError: If what is on disk is not what is in memory.
    """
    weights = adapter.gathered_weights(trainer)
    if trainer.accelerator.is_main_process:
        model = adapter.plain_model(trainer)
        if work.merge_at_end:
            model = model.merge_and_unload(safe_merge=True)
        save_checkpoint(
            model,
            work.job.out,
            base=work.job.base,
            stages=[*stages_before(work.job), work.stage],
            tokenizer=work.setup.tokenizer,
            state_dict=weights,
        )
        if weights is None:  # a shard cannot answer a canary
            check_saved(model, work.setup.tokenizer, canary(work.job), work.job.base, work.job.out)
    trainer.accelerator.wait_for_everyone()


def stages_before(job: StageJob) -> tuple[str, ...]:
    """Return the stages that made what a job starts from, the first first."""
    return () if job.start is None else read_note(job.start).stages


def canary(job: StageJob) -> list[dict[str, str]]:
    """Return the prompt that a saved checkpoint is checked with."""
    return prompt_of(job.lessons[0])


def report(work: Session, trainer: Any, tokens: int, losses: Sequence[float], **metrics: float) -> TrainingReport:
    """Return a stage's report; its loss is the mean of the last tenth of the steps, ten at most.

    All the losses are left beside the checkpoint, so that two trainings can be compared step by step.
    """
    if trainer.accelerator.is_main_process:
        write_json(work.job.out / LOSSES, {"schema": SCHEMA_VERSION, "stage": work.stage, "losses": list(losses)})
    last = losses[-max(1, min(10, len(losses) // 10)) :]
    loss = sum(last) / len(last)
    return TrainingReport(
        stage=work.stage,
        steps=int(trainer.state.global_step),
        tokens=tokens,
        loss=loss,
        seconds=round(time.perf_counter() - work.began, 3),
        metrics={name: float(value) for name, value in metrics.items()},
    )
