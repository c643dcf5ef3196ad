"""Whether the final answer is what the rationale concludes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...answers import as_number, contains, denies, normalise, same, tidy
from ...schema import Grade, Problem
from ...seams import StepChecker
from .rationale import split_steps, take_apart

OLD_ANSWER = "old"
"""Where a problem's metadata has the answer that the new one takes the place of, in tasks that edit facts."""


@dataclass(frozen=True)
class Consistent:
    """Reads the text: does its own last step say what its final answer says?

    1: the last step concludes the final answer. 0.5: an earlier step says it, the last one does not. 0: no step says
    it, there is no final answer or no step, the last step denies it or concludes the old answer (the problem's metadata
    `old`) instead, or the step checker says that the answer is not what the last step gives (kind `answer`).

    What a step concludes is what follows its last `=`, or all of it. A step that names an answer in a clause that
    negates denies it (`denies`). So that this is not the constant 1 for texts of which the checker can say nothing, it
    may only speak against a text. (In the code that EtCon, arXiv 2512.04753, published, the consistency reward is the
    constant 1: it is called without what it would compare with.)
    """

    checker: StepChecker | None = None

    def __call__(self, problem: Problem, text: str, grade: Grade, stopped: bool) -> float:
        """Return 0, 0.5 or 1."""
        steps = take_apart(text).steps
        if grade.answer is None or not steps:
            return 0.0
        steps = joined(steps, grade.answer)
        last = conclusion(steps[-1])
        if denies(last, tidy(grade.answer)) or not any(says(step, grade.answer) for step in steps):
            return 0.0
        concluded = says(last, grade.answer)
        old = problem.metadata.get(OLD_ANSWER)
        if not concluded and isinstance(old, str) and says(last, old):
            return 0.0
        if self._contradicted(problem, text, stopped):
            return 0.0
        return 1.0 if concluded else 0.5

    def _contradicted(self, problem: Problem, text: str, stopped: bool) -> bool:
        if self.checker is None:
            return False
        wrong = self.checker.find_wrong_step(problem.model_copy(deep=True), text, not stopped)
        return wrong is not None and wrong.kind == "answer"


def joined(steps: Sequence[str], answer: str) -> tuple[str, ...]:
    """Return steps, or so many in a row as an answer is cut into: a full stop in a name, as in St. Louis, ends none."""
    pieces = max(1, len(split_steps(answer)))
    return tuple(" ".join(steps[start : start + pieces]) for start in range(max(1, len(steps) - pieces + 1)))


def conclusion(step: str) -> str:
    """Return what a step arrives at."""
    return step.rpartition("=")[2]


def says(step: str, answer: str) -> bool:
    """Whether a step has an answer, not denied, as whole words or, if it is a number, in another spelling."""
    bare = tidy(answer)
    if denies(step, bare):
        return False
    if not any(map(str.isalnum, bare)):
        return bool(bare) and normalise(bare) in normalise(step)
    if contains(step, bare):
        return True
    return as_number(bare) is not None and any(same(word, bare) for word in step.split())
