"""What routers learn from: which teacher was right on which question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...schema import Evidence

Floats = npt.NDArray[np.float32]


class Labels(NamedTuple):
    """Questions that two teachers or more were asked, with how good what each of them wrote was."""

    questions: tuple[str, ...]
    teachers: tuple[str, ...]
    right: Floats
    """1 where a teacher was right, 0 where it was wrong, nan where it was not asked, [questions, teachers]."""
    learnability: Floats
    """The student's mean log-likelihood of what was written, nan where it is not known, [questions, teachers]."""

    @classmethod
    def read(cls, evidence: Sequence[Evidence]) -> Labels:
        """Sort evidence by question and teacher; of several rationales for one the last counts."""
        last = {(one.problem.id, one.teacher): one for one in evidence}
        asked = Counter(name for name, _ in last)
        problems = {one.problem.id: one.problem for one in evidence if asked[one.problem.id] > 1}
        teachers = tuple(dict.fromkeys(one.teacher for one in evidence))
        right, learnability = (np.full((len(problems), len(teachers)), np.nan, np.float32) for _ in range(2))
        for row, problem in enumerate(problems):
            for column, teacher in enumerate(teachers):
                if one := last.get((problem, teacher)):
                    right[row, column] = one.right
                    learnability[row, column] = np.nan if one.learnability is None else one.learnability
        return cls(tuple(p.question for p in problems.values()), teachers, right, learnability)

    def telling(self) -> Labels:
        """Return the questions by which teachers can be told apart: some were right on them and some wrong."""
        rows = (np.nanmax(self.right, 1) > 0) & (np.nanmin(self.right, 1) < 1) if len(self.questions) else []
        chosen = [question for question, keep in zip(self.questions, rows, strict=True) if keep]
        return Labels(tuple(chosen), self.teachers, self.right[rows], self.learnability[rows])
