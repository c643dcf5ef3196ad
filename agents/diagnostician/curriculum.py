"""Where the prerequisites that a diagnosis goes by come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ...errors import InputError
from ...prerequisites import read_file, read_mapping, restricted
from ..prerequisites import FEWEST, Outcomes, estimate_prerequisites

TASK: Final = "task"
ESTIMATE: Final = "estimate"


class Curriculum:
    """Prerequisites from the task, from a file, estimated, or none."""

    def __init__(self, source: str | None, offered: Mapping[str, Sequence[str]]) -> None:
        """Read what does not have to be estimated.

        Args:
            source: `task`, `estimate`, the path of a file, or None.
            offered: By the task.

        Raises:
            InputError: If the file cannot be read, or there is a cycle.
        """
        self._estimated = source == ESTIMATE
        self._file = source if source not in (TASK, ESTIMATE) else None
        self._given: dict[str, tuple[str, ...]] = {}
        if source == TASK:
            self._given = read_mapping(offered, "task: prerequisites")
        elif self._file is not None:
            self._given = read_file(Path(self._file))

    def check_skills(self, skills: Collection[str]) -> None:
        """Refuse a file about other skills altogether. What a task offers may well be of more skills than it has here.

        Args:
            skills: The task's; none if a problem has no tags, since what will be discovered cannot be known.

        Raises:
            InputError: If the file names none of them.
        """
        named = set(self._given).union(*self._given.values())
        if self._file and skills and named and not named & set(skills):
            raise InputError(
                f"diagnostician: prerequisites: {self._file}: has {min(named)!r}, but none of the task's skills, such "
                f"as {min(skills)!r}; spell them as the task does, or leave the file out"
            )

    def caveat(self, cycles: int, skills: Collection[str]) -> str | None:
        """Say what of the prerequisites will not count.

        Args:
            cycles: In each of which one checkpoint is diagnosed; an estimate needs a number of them.
            skills: The task's; none if a problem has no tags.
        """
        named = set(self._given).union(*self._given.values())
        if self._file and skills and (unknown := sorted(named - set(skills))):
            shown = ", ".join(map(repr, unknown[:4])) + (f" and {len(unknown) - 4} more" if len(unknown) > 4 else "")
            return f"prerequisites: {self._file}: no problem of the task has the skill {shown}; check the spelling"
        if not self._estimated or cycles >= FEWEST:
            return None
        told = f"prerequisites: estimate finds none in {cycles} cycles, as it needs {FEWEST} checkpoints at the least"
        return f"{told}; give a file, or `task`"

    def prerequisites(self, skills: Collection[str], outcomes: Iterable[Outcomes]) -> dict[str, tuple[str, ...]]:
        """Return, by skill, what it builds on among some skills.

        Args:
            skills: Those of the problems.
            outcomes: By checkpoint; read only for an estimate.
        """
        found = estimate_prerequisites(list(outcomes)) if self._estimated else self._given
        return restricted(found, skills)
