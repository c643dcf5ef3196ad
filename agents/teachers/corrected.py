"""The teacher that corrects what the student itself wrote."""

from __future__ import annotations

from ...errors import Declined
from ...schema import TeachingRequest
from ..steps.correction import correct


class CorrectedTeacher:
    """Puts the wrong steps of the student's own failed answer right, and leaves the rest in its words.

    What is imitated is then mostly what the student would say anyway, so that less of it is changed (EtCon, arXiv
    2512.04753, section 3.1). It needs no model.
    """

    def __init__(self, name: str = "corrected") -> None:
        """Name the teacher.

        Args:
            name: The teacher's name in files and traces; two of one kind in a run need two names.
        """
        self.name = name

    def teach(self, request: TeachingRequest) -> str:
        """Return the latest failed answer that can be corrected, corrected.

        Raises:
            Declined: If there is none, or none can be corrected without contradicting itself.
        """
        problem = request.problem
        for attempt in request.attempts:
            text = correct(problem.question, attempt.text.strip(), attempt.answer, problem.answer)
            if text is not None:
                return text
        if not request.attempts:
            raise Declined("the student has no failed answer to correct")
        raise Declined("no failed answer of the student can be corrected without contradicting itself")
