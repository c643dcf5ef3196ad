"""Who finds the first wrong step of a worked solution."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..schema import Problem, WrongStep


@runtime_checkable
class StepChecker(Protocol):
    """Finds the first wrong step of a worked solution: in the student's wrong answers and in teachers' rationales.

    What it says decides which skill a failure is put down to and, with `teach.check: steps`, whether a rationale may
    be taught; a false alarm does more harm than a miss. It must be quick (it runs once a text, in the run's own
    process) and should raise on no text: whatever it raises ends the run in one line that names it. It may have
    `check() -> None`, which raises InputError if it cannot work.
    """

    def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
        """Return the first wrong step, with character offsets into `text`; None if none is found.

        The kind is a word of the checker's own. Two are read: `format`, no final answer, is left to the task to judge,
        and `answer`, a final answer that differs from the last step, counts as a contradiction.

        Args:
            problem: What the text solves. `question` and `metadata` are what a domain needs; a checker that compares
                with `answer` says only what the grade says already.
            text: Any text: it is what a model said.
            truncated: Whether the text was cut off at the length limit.
        """
        ...
