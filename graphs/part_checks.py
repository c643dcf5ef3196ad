"""What can be wrong with the parts of a run, found before a call is paid for or a file is written: a check each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..agents.teachers.reference import ReferenceTeacher
from ..config import RunConfig
from ..errors import InputError, RunError
from ..ledgerfile import check_ledger
from ..memory.connection import check_server
from ..schema import Problem, Split, TeachingRequest
from ..seams import Teacher
from ..tasks.splits import check_splits
from .context import Parts
from .lesson.call import wrong_signature
from .prerequisites import known_skills
from .rehearse import rehearsal_questions
from .student_checks import student_checks


def part_checks(parts: Parts) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield each check by its name; it raises InputError if something is wrong."""
    yield "engine", getattr(parts.engine, "check", lambda: None)
    if parts.config.teach.shared_calls:
        yield "teach.shared_calls", partial(check_shared_calls, Path(parts.config.teach.shared_calls))
    if parts.config.memory.server:
        yield "memory.server", partial(check_server, parts.config.memory.server, parts.config.memory.token_env)
    yield "splits and grading", lambda: check_splits(parts.task)
    if parts.retention:
        yield "retention problems", lambda: _check_retention(parts)
    for number, stage in enumerate(parts.stages):
        yield f"training stage {number + 1} ({stage.name})", stage.check
        if getattr(stage, "drift", 0):
            yield f"training stage {number + 1} ({stage.name}) drift", partial(_check_drift, parts, number)
        if getattr(stage, "takes_earlier", False):
            yield f"training stage {number + 1} ({stage.name}) has a vector", partial(_check_vector, parts, number)
        if stage.name == "replay":
            yield f"training stage {number + 1} (replay) has lessons", partial(_check_replay, parts)
    yield from student_checks(parts)
    for name, teacher in parts.teachers.items():
        yield from _teacher_checks(parts, name, teacher)
    if parts.critic is not None:
        yield "critic answers", getattr(parts.critic, "check", lambda: None)
        yield from _price_checks(parts.config, "the critic", "critic", parts.critic)
    yield "step checker", partial(_check_steps, parts)
    yield from _purifier_checks(parts)
    yield from _diagnostician_checks(parts)


def _diagnostician_checks(parts: Parts) -> Iterator[tuple[str, Callable[[], None]]]:
    if hasattr(parts.diagnostician, "check"):
        yield "diagnostician answers", parts.diagnostician.check
    if hasattr(parts.diagnostician, "check_skills"):
        yield "diagnostician fits the task", partial(parts.diagnostician.check_skills, known_skills(parts.problems))
    if describer := getattr(parts.diagnostician, "describer", None):
        yield from _price_checks(parts.config, "the diagnostician", "diagnostician", describer)


def _teacher_checks(parts: Parts, name: str, teacher: Teacher) -> Iterator[tuple[str, Callable[[], None]]]:
    yield f"teacher {name} can teach", partial(_check_can_teach, parts, name, teacher)
    if isinstance(teacher, ReferenceTeacher):
        yield f"teacher {name} fits the student", partial(_check_references, parts, teacher)
    yield f"teacher {name} answers", getattr(teacher, "check", lambda: None)
    yield from _price_checks(parts.config, f"teacher {name!r}", f"teacher {name}", teacher)


def _purifier_checks(parts: Parts) -> Iterator[tuple[str, Callable[[], None]]]:
    if hasattr(parts.purifier, "fit"):
        yield "purifier can be resumed", partial(_check_keeps, parts)
    if getattr(parts.purifier, "needs_likelihoods", False):
        yield "purifier fits the engine", partial(_check_likelihoods, parts)
    if hasattr(parts.purifier, "check"):
        yield "purifier answers", parts.purifier.check
    if hasattr(parts.purifier, "prices"):
        yield from _price_checks(parts.config, "the purifier", "purifier", parts.purifier)


def _price_checks(config: RunConfig, who: str, name: str, plugin: object) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the check of a price, where one is needed."""
    if config.stop.max_usd is not None:
        yield f"{name} has a price", partial(_check_price, config, who, plugin)


def check_call(name: str, teacher: Teacher) -> None:
    """Find out what would bench a teacher at its first call; a run goes on with the others."""
    if refused := wrong_signature(teacher, TeachingRequest(problem=Problem(question="?", answer="!"))):
        raise InputError(f"teacher {name!r} {refused}")


def require_prices(parts: Parts) -> None:
    """Refuse a limit in dollars for a teacher or critic whose calls have no price.

    Raises:
        InputError: Naming the first.
    """
    for name, teacher in parts.teachers.items():
        _check_price(parts.config, f"teacher {name!r}", teacher)
    _check_price(parts.config, "the critic", parts.critic)
    _check_price(parts.config, "the purifier", parts.purifier)
    _check_price(parts.config, "the diagnostician", getattr(parts.diagnostician, "describer", None))


def _check_price(config: RunConfig, who: str, plugin: object) -> None:
    if config.stop.max_usd is not None and getattr(plugin, "prices", ()) is None:
        raise InputError(
            f"stop.max_usd: {who}: price unknown; set its price_in and price_out (0 if it is free), or "
            "stop.max_tokens instead"
        )


def check_shared_calls(path: Path) -> None:
    """Refuse a file of shared calls that is none, or whose folder is not there."""
    try:
        if path.exists():
            check_ledger(path)
    except sqlite3.Error as error:
        raise InputError(f"teach.shared_calls: {path} is no call ledger ({error}); give another file") from error
    if not path.parent.is_dir():
        raise InputError(f"teach.shared_calls: {path.parent} is no folder; make it, or give another file")


def _check_can_teach(parts: Parts, name: str, teacher: Teacher) -> None:
    can_teach = getattr(teacher, "can_teach", None)
    problems = parts.problems.get(Split.TRAIN, ())
    if can_teach is None or not problems or any(map(can_teach, problems)):
        return
    column = "name the column of rationales in task.options.reference, or "
    raise InputError(
        f"teachers: {name}: has nothing to say to any of the {len(problems)} train problems, such as "
        f"{problems[0].question[:60]!r}; {column if isinstance(teacher, ReferenceTeacher) else ''}choose another, such "
        "as chat"
    )


def _check_references(parts: Parts, teacher: ReferenceTeacher) -> None:
    texts = [teacher.text(one) for one in parts.problems.get(Split.TRAIN, ()) if teacher.can_teach(one)]
    if texts and not any(map(parts.fits, texts)):
        raise InputError(
            f"student.max_new_tokens: {parts.max_tokens} tokens are fewer than any reference of the train problems "
            f"has, so none could be a lesson; raise it, the shortest has {min(map(parts.count_tokens, texts))}"
        )


def _check_likelihoods(parts: Parts) -> None:
    """Refuse an engine without what the purifier goes by: it would quietly go by less."""
    if not hasattr(parts.engine, "likelihoods"):
        raise InputError(
            f"purifier: {parts.purifier_name}: goes by how likely the student is to write a text, which its engine "
            f"({type(parts.engine).__name__}) cannot tell; give the engine `likelihoods` (see tutelage.seams), choose "
            "another as student.engine, such as transformers, or another purifier, such as similarity"
        )


def _check_steps(parts: Parts) -> None:
    """Let the step checker look at one answer: what fails there would fail in the middle of a run."""
    getattr(parts.checker.checker, "check", lambda: None)()
    for problem in list(parts.problems.get(Split.TRAIN, ()))[:1]:
        try:
            parts.checker.find_wrong_step(problem, f"Answer: {problem.answer}")
        except RunError as error:
            raise InputError(str(error)) from error


def _check_keeps(parts: Parts) -> None:
    """Refuse a purifier that learns but cannot write down what it has learnt: a resumed run would begin anew."""
    if missing := [name for name in ("save", "load") if not hasattr(parts.purifier, name)]:
        raise InputError(
            f"purifier: {parts.purifier_name}: has fit, but no {missing[0]}; write it as tutelage.seams.Purifier says"
        )


def _check_drift(parts: Parts, number: int) -> None:
    """Refuse a drift with nothing to rehearse, or over full weights, which only an adapter can start from."""
    stage = parts.stages[number]
    once = parts.config.training.start == "base" or parts.config.stop.cycles == 1
    before = parts.stages[:number] if once else parts.stages
    if any(getattr(other, "mode", "") == "full" for other in before):
        raise InputError(
            f"stages: {stage.name}: drift: a stage of mode full comes before it or in the cycle before, so there is no "
            "adapter over the base student to hold; leave drift out, or use mode lora in every stage"
        )
    if not rehearsal_questions(parts.config, parts.retention):
        raise InputError(
            f"stages: {stage.name}: drift: there is nothing to rehearse; set retention.rehearse and a retention task "
            "that offers it, or leave drift out"
        )


def _check_vector(parts: Parts, number: int) -> None:
    """Refuse to wait for the work of a stage that no cycle will ever have."""
    stage = parts.stages[number]
    wanted, names = getattr(stage, "stage", None), [one.name for one in parts.stages]
    if wanted is not None and wanted not in names and getattr(stage, "train", None) is None:
        raise InputError(
            f"stages: {stage.name}: stage: no stage {wanted!r} is in training.stages, so there will be nothing to add; "
            f"name one of {', '.join(names)}, give it options in `train`, or leave {stage.name} out"
        )


def _check_replay(parts: Parts) -> None:
    """Refuse a stage that imitates what is not new where nothing else is."""
    training = parts.config.training
    if not (training.replay or training.start == "base" or rehearsal_questions(parts.config, parts.retention)):
        raise InputError(
            "stages: replay: there is nothing to replay; set training.replay, or retention.rehearse and a retention "
            "task that offers it, or leave the stage out"
        )


def _check_retention(parts: Parts) -> None:
    if not parts.problems.get(Split.RETENTION):
        raise InputError("retention.task: has no problems in its retention split; fill it, or set retention: null")
