"""The teacher that reads out the data set's own rationale."""

from __future__ import annotations

from ...errors import RunError
from ...schema import TeachingRequest


class ReferenceTeacher:
    """Returns `Problem.reference`, with the gold answer as its last line if it does not end on one."""

    def __init__(self, name: str = "reference") -> None:
        """Name the teacher; two of one kind in a run need two names."""
        self.name = name

    def teach(self, request: TeachingRequest) -> str:
        """Return the reference rationale.

        Raises:
            RunError: If the problem has none.
        """
        problem = request.problem
        text = (problem.reference or "").strip()
        if not text:
            raise RunError(
                f"teacher {self.name!r}: problem {problem.id!r} has no reference; fill `reference` in the data set "
                "or choose another teacher"
            )
        last = text.rsplit("\n", 1)[-1].strip()
        return text if last.lower().startswith("answer:") else f"{text}\nAnswer: {problem.answer}"
