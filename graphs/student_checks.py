"""Whether the training stages can teach this student at all: its template, its vocabulary, its context, its teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..checkpoints import load_tokenizer
from ..errors import InputError
from ..jsonl import read_json
from ..schema import Problem, Split
from ..student_prompt import student_prompt
from ..training.distill import DistillStage
from ..training.layers import WHOLE, chosen_layers, skeleton
from ..training.limits import Limits, check_vocabulary, read_limits
from ..training.options import GradientStage
from ..training.template import check_template
from .context import Parts

LOOKED_AT = 16
"""Train questions that are measured: those with the most characters."""


def student_checks(parts: Parts) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks, if a stage trains weights; each raises InputError if something is wrong."""
    if any(isinstance(stage, GradientStage) for stage in parts.stages) and not _stands_in(parts.base):
        yield "student can be taught", partial(_check_student, parts)
        for number, stage in enumerate(parts.stages):
            named = f"training stage {number + 1} ({stage.name})"
            if isinstance(stage, GradientStage):
                yield f"{named} layers", partial(_check_layers, parts.base, stage)
            if isinstance(stage, DistillStage):
                yield f"{named} teacher", partial(stage.check_teacher, parts.base)


def _stands_in(base: Path) -> bool:
    """Whether a folder only passes for a student's, as where `tutelage.testing` has a fake engine answer."""
    return bool(read_json(base / "config.json").get("model_type") == "none")


def _check_layers(base: Path, stage: GradientStage) -> None:
    """Refuse layers that the student does not have; options that are wrong in themselves are told by `stage.check`."""
    try:
        stage.check()
    except InputError:
        return
    low, high = stage.band
    if stage.modules or (low, high) != WHOLE:
        try:
            chosen_layers(skeleton(base), stage.modules, (low, high))
        except InputError as error:
            raise InputError(f"stages: {stage.name}: {error}") from error


def _check_student(parts: Parts) -> None:
    train = parts.problems.get(Split.TRAIN, ())
    try:
        tokenizer, limits = load_tokenizer(parts.base), read_limits(parts.base)
        check_vocabulary(tokenizer, limits)
        for problem in train[:1]:
            check_template(tokenizer, _prompt(parts, problem))
    except InputError as error:
        raise InputError(f"student.model: {error}") from error
    _check_room(parts, tokenizer, limits)


def _check_room(parts: Parts, tokenizer: Any, limits: Limits) -> None:
    """Refuse a question that leaves no room for any answer: no lesson of it could be trained on."""
    train = sorted(parts.problems.get(Split.TRAIN, ()), key=lambda problem: -len(problem.question))
    for problem in train[:LOOKED_AT]:
        tokens = _length(tokenizer, _prompt(parts, problem))
        for field, room, remedy in _rooms(limits, parts.stages):
            if tokens > room:
                raise InputError(
                    f"{field}: the question of {problem.id} alone has {tokens} tokens, and there is room for "
                    f"{max(0, room)}; leave the problem out, or {remedy}"
                )


def _rooms(limits: Limits, stages: Sequence[object]) -> Iterator[tuple[str, int, str]]:
    """Yield what limits a question: the field, the tokens it may have at most, the remedy."""
    if limits.context is not None:
        yield "student.model", limits.context - 1, "take a student with a longer context"
    for stage in stages:
        name = getattr(stage, "name", "")
        if length := getattr(stage, "max_length", None):
            yield f"stages: {name}: max_length", length - 1, "raise max_length"
        if limits.context is not None and (answer := getattr(stage, "max_new_tokens", None)):
            yield f"stages: {name}: max_new_tokens", limits.context - answer, "lower max_new_tokens"


def _prompt(parts: Parts, problem: Problem) -> list[dict[str, str]]:
    return student_prompt(parts.task.instruction, problem.question)


def _length(tokenizer: Any, prompt: list[dict[str, str]]) -> int:
    text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
