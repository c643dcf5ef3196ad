"""The lessons of a run as a Hugging Face data set in chat format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..rundir import RunDir
from ..schema import Lesson, Rationale
from ..student_prompt import student_prompt
from .chosen import taught_cycles
from .dataset_card import Contents, dataset_card
from .folder import new_folder, require_new

LESSONS, PREFERENCES = "lessons", "preferences"
"""The data set's configurations; the second is there if a rationale was rejected or a student was wrong."""
_SHARD = 100_000
"""Rows a file."""


def export_dataset(
    rundir: RunDir, folder: Path, *, cycle: int | None = None, everything: bool = False
) -> dict[str, int]:
    """Write the lessons as Parquet with a data card.

    Args:
        rundir: The run.
        folder: Where to; must not exist, or be empty.
        cycle: Only the lessons of this cycle.
        everything: The lessons of all cycles, rather than of those that made the best student.

    Returns:
        Rows of each configuration.

    Raises:
        InputError: If there is nothing to write, or something is in the way.
    """
    require_new(folder)
    cycles = taught_cycles(rundir, cycle, everything)
    lessons = [lesson for one in cycles for lesson in rundir.lessons(one)]
    if not lessons:
        raise InputError(_nothing(rundir, cycles, cycle, everything))
    written = [rationale for one in cycles for rationale in rundir.rationales(one)]
    persons = frozenset(review.title for one in cycles for review in rundir.reviews(one))
    rows = {LESSONS: [row_of(lesson) for lesson in lessons], PREFERENCES: list(preferences(lessons, written))}
    rows = {name: some for name, some in rows.items() if some}
    with new_folder(folder) as made:
        for name, some in rows.items():
            _write(made / name, some, _schema(name))
        contents = Contents(cycles, lessons, written, persons, {name: len(some) for name, some in rows.items()})
        dataset_card(rundir, contents).save(made / "README.md")
    return contents.rows


def _nothing(rundir: RunDir, cycles: Sequence[int], cycle: int | None, everything: bool) -> str:
    if everything:
        return f"{rundir.path}: no cycle taught anything, its lessons were turned away; let the run teach another cycle"
    told = "take another cycle, or --all" if cycle is not None else "take --all"
    return f"{rundir.path}: the cycles {', '.join(map(str, cycles))} taught nothing; {told}"


def row_of(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as the conversation that it teaches, as the student was asked."""
    return {
        "messages": [*student_prompt(lesson.system, lesson.question), _said(lesson.text)],
        "problem_id": lesson.problem_id,
        "cycle": lesson.cycle,
        "origin": lesson.origin,
        "rationale_id": lesson.rationale_id,
        "weight": lesson.weight,
        "answer": lesson.answer,
    }


def preferences(lessons: Sequence[Lesson], written: Sequence[Rationale]) -> Iterator[dict[str, Any]]:
    """Yield each lesson with what was turned away for its problem: rejected rationales, and the student's own error.

    A rationale that is taught is not among them, though the check has rejected it: a person may teach it all the same.
    """
    taught = {lesson.rationale_id for lesson in lessons}
    by_problem: dict[tuple[str, int], list[Rationale]] = {}
    for rationale in written:
        if not rationale.rejected or rationale.id in taught:
            continue
        if rationale.answer is not None:  # without an answer it may be an error's message
            by_problem.setdefault((rationale.problem_id, rationale.cycle), []).append(rationale)
    for lesson in lessons:
        turned_away = [(r.text, r.teacher, r.rejected) for r in by_problem.get((lesson.problem_id, lesson.cycle), ())]
        own = [(lesson.wrong, "student", "wrong answer")] if lesson.wrong else []
        for text, author, reason in [*turned_away, *own]:
            if text.strip() and text != lesson.text:
                yield {
                    "prompt": student_prompt(lesson.system, lesson.question),
                    "chosen": [_said(lesson.text)],
                    "rejected": [_said(text)],
                    "problem_id": lesson.problem_id,
                    "cycle": lesson.cycle,
                    "origin": lesson.origin,
                    "rejected_origin": author,
                    "reason": reason,
                }


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _schema(name: str) -> Any:
    import pyarrow as pa

    talk = pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))
    shared = {"problem_id": pa.string(), "cycle": pa.int32(), "origin": pa.string()}
    own = {"rationale_id": pa.string(), "weight": pa.float64(), "answer": pa.string()}
    if name == LESSONS:
        return pa.schema({"messages": talk, **shared, **own})
    texts = {"prompt": talk, "chosen": talk, "rejected": talk}
    return pa.schema({**texts, **shared, "rejected_origin": pa.string(), "reason": pa.string()})


def _write(folder: Path, rows: Sequence[dict[str, Any]], schema: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    count = -(-len(rows) // _SHARD)
    for number in range(count):
        part = pa.Table.from_pylist(list(rows[number * _SHARD : (number + 1) * _SHARD]), schema=schema)
        pq.write_table(part, folder / f"train-{number:05d}-of-{count:05d}.parquet", compression="zstd")
