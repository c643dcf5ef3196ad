"""From rows to splits: read a data set, turn each row into a problem, deal the problems out without overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import InputError, did_you_mean
from ..hashing import content_hash
from ..schema import Grade, Problem, Split
from .rows import Format, Row, read_rows

SHARES: Final = {Split.TRAIN: 0.6, Split.PROBE: 0.1, Split.GATE: 0.15, Split.TEST: 0.15}
"""How a single file is cut where no sizes are given."""
_ORDER: Final = (Split.TEST, Split.GATE, Split.PROBE, Split.RETENTION, Split.CHECK, Split.TRAIN)

_NAMES: Final = tuple(split.value for split in Split)

Splits = dict[Split, tuple[Problem, ...]]


class _Placed:
    """A problem with the place it came from."""

    def __init__(self, problem: Problem, where: str, split: Split | None) -> None:
        self.problem, self.where, self.split = problem, where, split


@dataclass(frozen=True)
class Source:
    """A data set and how it is dealt out.

    A row that repeats an earlier one of the same split, question and answer, is passed over.
    """

    path: str | dict[Split, str]
    """One data set to cut or to deal by `split_column`, or one a split."""
    format: Format = "auto"
    split_column: str | None = None
    sizes: dict[Split, int] | None = None
    """Problems per split; for splits that are given, at most so many of each."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what can be checked without reading."""
        if isinstance(self.path, dict) and self.split_column:
            raise InputError("task: split_column: has no meaning where path names one file a split; drop one of them")
        for name in [*(self.sizes or {}), *(self.path if isinstance(self.path, dict) else ())]:
            if name not in _NAMES:
                raise InputError(f"task: unknown split {name!r}; {did_you_mean(name, _NAMES)}")
        for split, size in (self.sizes or {}).items():
            if size < 1:
                raise InputError(f"task: sizes.{split}: {size} is less than 1")

    def load(self, make: Callable[[Row], Problem], grade: Callable[[Problem, str], Grade]) -> Splits:
        """Read everything.

        Args:
            make: Turns a row into a problem; raises InputError for a bad row.
            grade: The task's grader, which must give each gold answer a score of 1.

        Raises:
            InputError: Naming file, line and field of what is wrong.
        """
        placed = _unique([self._place(row, split, make, grade) for split, row in self._rows()])
        named = str(self.path) if isinstance(self.path, str) else ", ".join(self.path.values())
        if not placed:
            raise InputError(f"{named}: holds no rows; give it at least one problem a split")
        ordered = sorted(placed, key=lambda one: content_hash(self.seed, one.problem.question))
        splits = self._cut(ordered, named) if placed[0].split is None else self._dealt(ordered)
        return {split: splits[split] for split in Split if split in splits}

    def _rows(self) -> Iterable[tuple[Split | None, Row]]:
        if isinstance(self.path, str):
            for row in read_rows(self.path, self.format):
                yield self._split_of(row), row
            return
        for split, path in self.path.items():
            rows = [(Split(split), row) for row in read_rows(path, self.format)]
            if not rows:
                raise InputError(f"{path}: split {Split(split).value!r} is empty; give it at least one row")
            yield from rows

    def _split_of(self, row: Row) -> Split | None:
        if self.split_column is None:
            return None
        value = row.text(self.split_column)
        if value not in _NAMES:
            raise InputError(
                f"{row.where}: {self.split_column}: unknown split {value!r}; {did_you_mean(value, _NAMES)}"
            )
        return Split(value)

    @staticmethod
    def _place(
        row: Row, split: Split | None, make: Callable[[Row], Problem], grade: Callable[[Problem, str], Grade]
    ) -> _Placed:
        problem = make(row)
        if grade(problem, f"Answer: {problem.answer}").score < 1:
            raise InputError(
                f"{row.where}: the answer {problem.answer[:60]!r} is not graded as right by the task itself; "
                "it must be one line of text"
            )
        metadata = {**problem.metadata, "source": row.where}
        return _Placed(problem.model_copy(update={"metadata": metadata}), row.where, split)

    def _cut(self, placed: list[_Placed], named: str) -> Splits:
        """Cut one pile; the exams come off first, so that more rows in it grow the train split."""
        sizes = self.sizes or {split: int(share * len(placed)) for split, share in SHARES.items()}
        if sum(sizes.values()) > len(placed):
            raise InputError(
                f"{named}: sizes ask for {sum(sizes.values())} problems and it has {len(placed)} distinct ones; "
                "ask for fewer"
            )
        splits: Splits = {}
        start = 0
        for split in (split for split in _ORDER if split in sizes):
            end = start + sizes[split]
            if end == start:
                raise InputError(f"{named}: split {split.value!r} is empty; {len(placed)} rows are too few to cut")
            splits[split] = tuple(one.problem for one in placed[start:end])
            start = end
        return splits

    def _dealt(self, placed: list[_Placed]) -> Splits:
        """Deal by each row's own split, cutting a split down to its size."""
        limits = self.sizes or {}
        splits: Splits = {}
        for split in Split:
            mine = tuple(one.problem for one in placed if one.split is split)
            if split in limits and len(mine) < limits[split]:
                raise InputError(f"task: sizes.{split}: {limits[split]} asked for, {len(mine)} there; ask for fewer")
            if mine:
                splits[split] = mine[: limits.get(split)]
        return splits


def _unique(placed: Iterable[_Placed]) -> list[_Placed]:
    """Drop repeated rows.

    Raises:
        InputError: If a question stands in two splits or has two answers, naming both places.
    """
    seen: dict[str, _Placed] = {}
    for one in placed:
        first = seen.setdefault(one.problem.question, one)
        if first.split is not one.split:
            raise InputError(
                f"{one.where}: the question is also in split {first.split} ({first.where}); remove it from one of them"
            )
        if first.problem.answer != one.problem.answer:
            raise InputError(f"{one.where}: the question has another answer in {first.where}; correct one of them")
    return list(seen.values())


def as_skills(row: Row, column: str | None) -> tuple[str, ...]:
    """Read the skills of a row: a list of names, or one name.

    Raises:
        InputError: If the field is missing or holds anything else.
    """
    if column is None:
        return ()
    value = row.get(column)
    names = [value] if isinstance(value, str) else value
    if value is None:
        return ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError(f"{row.where}: {column}: must be a name or a list of names")
    return tuple(name.strip() for name in names)


def as_reference(row: Row, column: str | None) -> str | None:
    """Read the rationale of a row; None where the field is null or blank."""
    value: Mapping[str, object] | object = None if column is None else row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return row.text(str(column))
