"""The teacher that reads out the data set's own rationale."""

from __future__ import annotations

from ...errors import Declined
from ...schema import Problem, TeachingRequest


class ReferenceTeacher:
    """Returns `Problem.reference`, with the gold answer as its last line if it does not end on one."""

    def __init__(self, name: str = "reference") -> None:
        """Name the teacher.

        Args:
            name: The teacher's name in files and traces; two of one kind in a run need two names.
        """
        self.name = name

    def can_teach(self, problem: Problem) -> bool:
        """Whether the problem has a reference."""
        return bool((problem.reference or "").strip())

    def teach(self, request: TeachingRequest) -> str:
        """Return the reference rationale.

        Raises:
            Declined: If the problem has none.
        """
        if not self.can_teach(request.problem):
            raise Declined("the problem has no reference")
        return self.text(request.problem)

    def text(self, problem: Problem) -> str:
        """Return what is taught of a problem that has a reference."""
        text = (problem.reference or "").strip()
        last = text.rsplit("\n", 1)[-1].strip()
        return text if last.lower().startswith("answer:") else f"{text}\nAnswer: {problem.answer}"
