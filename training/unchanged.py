"""A stage that has nothing to do: the checkpoint that it starts from is passed on as it is."""

from __future__ import annotations

import shutil

from ..checkpoints import load_model, load_tokenizer, save_checkpoint, set_stages, weights_of
from ..schema import TrainingReport
from ..seams import StageJob
from . import adapter
from .jobs import RESULT
from .session import LOSSES, stages_before


def pass_on(stage: str, job: StageJob, why: str) -> TrainingReport:
    """Put the weights that a stage starts from into `job.out`, and say why nothing was done to them.

    A checkpoint is copied; the base student is saved as full weights.

    Args:
        stage: Its name.
        job: What it got.
        why: Becomes the report's note.
    """
    if adapter.is_main_process():
        start = None if job.start is None else weights_of(job.start)
        if start is None:
            model = load_model(job.base, None, dtype="float32", device="cpu", merge=True)
            save_checkpoint(model, job.out, base=job.base, stages=(), tokenizer=load_tokenizer(job.base))
        else:
            shutil.copytree(start, job.out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(RESULT, LOSSES))
        set_stages(job.out, [*stages_before(job), stage])
    return TrainingReport(stage=stage, steps=0, tokens=0, loss=0.0, seconds=0.0, note=why)
