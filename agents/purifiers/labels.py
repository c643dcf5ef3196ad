"""What routers learn from: which teacher was right on which question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...schema import Evidence
from .learnability import LEARNABILITY, learnability_of

Floats = npt.NDArray[np.float32]


class Labels(NamedTuple):
    """Questions that two teachers or more were asked, with how good what each of them wrote was."""

    questions: tuple[str, ...]
    teachers: tuple[str, ...]
    right: Floats
    """1 where a teacher was right, 0 where it was wrong, nan where nothing is known of it, [questions, teachers].

    Nothing is known of who was not asked; nor of who was right but did not help, as the student that was taught it then
    failed, where another was right too. To call that wrong would turn labels against the teachers that are chosen, for
    no other can fail so."""
    learnability: Floats
    """The student's mean log-likelihood of what was written, nan where it is not known, [questions, teachers]."""

    @classmethod
    def read(cls, evidence: Sequence[Evidence]) -> Labels:
        """Sort evidence by cycle, question and teacher, however it came; of several drafts the best counts."""
        cells: defaultdict[tuple[int, str], dict[str, Evidence]] = defaultdict(dict)
        for one in evidence:
            row = cells[one.cycle, one.problem.id]
            row[one.teacher] = max(row.get(one.teacher, one), one, key=_worth)
        rows = [row for _, row in sorted(cells.items()) if len(row) > 1]
        teachers = tuple(sorted({one.teacher for one in evidence}))
        right, learnability = (np.full((len(rows), len(teachers)), np.nan, np.float32) for _ in range(2))
        for number, row in enumerate(rows):
            for name, one in row.items():
                column = teachers.index(name)
                right[number, column] = _mark(one, list(row.values()))
                learnability[number, column] = one.scores.get(LEARNABILITY, np.nan)
        return cls(tuple(next(iter(row.values())).problem.question for row in rows), teachers, right, learnability)

    def telling(self) -> Labels:
        """Return the questions by which teachers can be told apart: some were right on them and some wrong."""
        return self.only((self.right == 1).any(1) & (self.right == 0).any(1))

    def only(self, rows: npt.NDArray[np.bool_]) -> Labels:
        """Return some of the questions: those marked, [questions]."""
        chosen = [question for question, keep in zip(self.questions, rows, strict=True) if keep]
        return Labels(tuple(chosen), self.teachers, self.right[rows], self.learnability[rows])


def _worth(one: Evidence) -> tuple[bool, bool, float]:
    return one.right, one.taught, learnability_of(one)


def _mark(one: Evidence, row: Sequence[Evidence]) -> float:
    """Return 1, 0 or nan, given what all teachers wrote."""
    useless = one.right and one.fixed is False
    return np.nan if useless and sum(each.right for each in row) > 1 else float(one.right)
