"""The card of a data set of lessons: what is in it, and how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..rundir import RunDir
from ..schema import Lesson, Rationale
from .markdown import inline, line, table
from .recipe import read_recipe

_SIZES = {1e3: "n<1K", 1e4: "1K<n<10K", 1e5: "10K<n<100K", 1e6: "100K<n<1M"}


@dataclass(frozen=True)
class Contents:
    """What a data set holds."""

    cycles: Sequence[int]
    lessons: Sequence[Lesson]
    written: Sequence[Rationale]
    """All rationales of these cycles."""
    persons: frozenset[str]
    """Who reviewed lessons of these cycles, as they are named among the writers of rationales."""
    rows: dict[str, int]
    """Of each configuration; the first is the default."""


def dataset_card(rundir: RunDir, contents: Contents) -> Any:
    """Return the card, with a header that the hub and `datasets` understand."""
    from huggingface_hub import DatasetCard, DatasetCardData

    name = line(rundir.path.resolve().name)
    files = [
        {"config_name": config, "data_files": [{"split": "train", "path": f"{config}/*.parquet"}]}
        for config in contents.rows
    ]
    data = DatasetCardData(
        pretty_name=f"Lessons of {name}",
        task_categories=["text-generation"],
        size_categories=next((size for most, size in _SIZES.items() if len(contents.lessons) < most), "n>1M"),
        tags=["tutelage", "distillation", "synthetic"],
        configs=[{**files[0], "default": True}, *files[1:]],
    )
    return DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{_body(rundir, contents)}\n")


def _body(rundir: RunDir, contents: Contents) -> str:
    parts = [
        f"# Lessons of {inline(rundir.path.resolve().name)}",
        _how(rundir, contents),
        "## What is in it",
        _columns(contents),
        "## Lessons by cycle and origin",
        table(["cycle", "origin", "lessons"], _counts(contents.lessons)),
        "## What was rejected",
        _rejected(contents),
        "## Licence",
        "Not set: it depends on the problems, on the teachers and on their terms of use. Add `license:` to the header.",
    ]
    return "\n\n".join(parts)


def _how(rundir: RunDir, contents: Contents) -> str:
    recipe = read_recipe(rundir)
    writers = {one.teacher for one in contents.written} - contents.persons
    teachers = ", ".join(inline(name) for name in sorted(writers)) or "none"
    return (
        f"Made by Tutelage: a student ({inline(recipe.student)}) was examined on the task {inline(recipe.task)}, and "
        "was taught what it got wrong. Teachers wrote rationales for problems of the train split; what did not pass "
        f"the check of its steps or its answer was rejected. Teachers: {teachers}. These are the lessons of the cycles "
        f"{', '.join(map(str, contents.cycles))}; a problem that was taught again has a row in each cycle."
    )


def _columns(contents: Contents) -> str:
    told = {
        "lessons": "`messages` (the system message if there is one, the question, the lesson), `problem_id`, `cycle`, "
        "`origin` (the teacher, `student` for its own right answer, a purifier or a reviewer), `rationale_id`, "
        "`weight` in training, `answer` (the gold one)",
        "preferences": "`prompt`, `chosen` (the lesson), `rejected` (a rationale that was turned away, or the "
        "student's own wrong answer), who wrote that (`rejected_origin`) and why it was turned away (`reason`)",
    }
    return "\n".join(f"- `{name}`, {rows} rows: {told[name]}" for name, rows in contents.rows.items())


def _counts(lessons: Sequence[Lesson]) -> list[tuple[int, str, int]]:
    counts = Counter((lesson.cycle, lesson.origin) for lesson in lessons)
    return [(cycle, origin, n) for (cycle, origin), n in sorted(counts.items())]


def _rejected(contents: Contents) -> str:
    taught = {lesson.rationale_id for lesson in contents.lessons}  # by a person's will, though the check rejected it
    counts = Counter(one.rejected for one in contents.written if one.rejected and one.id not in taught)
    told = f"{sum(counts.values())} of {len(contents.written)} rationales were rejected and are not lessons."
    return f"{told}\n\n{table(['reason', 'rationales'], counts.most_common())}" if counts else told
