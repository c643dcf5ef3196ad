"""The check that a rationale passes before it may be a lesson, for a text that a person wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..configfile import load_config
from ..errors import InputError, short
from ..jsonl import read_json
from ..plugins import build
from ..rundir import RunDir
from ..schema import TOO_LONG, Problem
from ..seams import StepChecker, Task
from .context import Parts, make_checker
from .lesson.judge import WRONG_ANSWER, Judgement, judge
from .standalone import make_engine


@dataclass(frozen=True)
class TextCheck:
    """What a text is checked by."""

    task: Task
    checker: StepChecker
    fits: Callable[[str], bool]
    steps: bool
    limit: int
    """`student.max_new_tokens`, by which `fits` goes."""

    def judge(self, problem: Problem, text: str) -> Judgement:
        """Say whether a text may be taught, as of a teacher's."""
        found = judge(self.task, problem, text, self.checker, self.steps)
        if found.reason is None and not self.fits(text):
            return found._replace(reason=TOO_LONG)
        return found


def check_of(parts: Parts) -> TextCheck:
    """Return the check of a run that goes on."""
    steps, limit = parts.config.teach.check == "steps", parts.config.student.max_new_tokens
    return TextCheck(parts.task, parts.checker, parts.fits, steps, limit)


def read_check(rundir: RunDir) -> TextCheck:
    """Make the check of a run that waits; no model is loaded.

    Raises:
        InputError: If what it takes was given from Python, or cannot be made.
    """
    given = read_json(rundir.path / "objects.json")
    if missing := [name for name in ("checker", "engine") if given.get(name)]:
        raise InputError(
            f"{rundir.path}: a text cannot be checked here, for the run was begun with its own {missing[0]} from "
            "Python; --anyway takes it unchecked"
        )
    config = load_config(rundir.config)
    engine, _ = make_engine(config.student.model, config.student)
    count = getattr(engine, "count_tokens", None)
    return TextCheck(
        task=build("tasks", config.task, seed=config.seed),
        checker=make_checker(config.checker, None),
        fits=lambda text: count is None or count(text.strip()) <= config.student.max_new_tokens,
        steps=config.teach.check == "steps",
        limit=config.student.max_new_tokens,
    )


def objection(found: Judgement, limit: int) -> str | None:
    """Say in one line why a text may not be taught; None if it may.

    Args:
        found: What the check says of it.
        limit: The most tokens that an answer of the student has.
    """
    if found.reason is None:
        return None
    if found.reason == WRONG_ANSWER:
        return f"{WRONG_ANSWER}: it ends on {short(found.answer)}"
    if found.reason == TOO_LONG:
        return f"{TOO_LONG}: an answer of the student ends at {limit} tokens (student.max_new_tokens)"
    wrong = found.wrong_step
    return found.reason + (f": it says {short(wrong.found)}, where {short(wrong.expected)} is right" if wrong else "")
