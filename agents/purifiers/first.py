"""The plainest purifier: the first teacher is right if it is verified."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InputError
from ...schema import Problem, Rationale


class FirstVerified:
    """Takes the first verified rationale, in the order of the teachers."""

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        """Return the first verified rationale.

        Args:
            problem: What the rationales solve.
            rationales: One or more, in the order of the teachers.

        Raises:
            InputError: If none is verified.
        """
        for rationale in rationales:
            if rationale.verified:
                return rationale
        raise InputError(f"purifier first: problem {problem.id}: no verified rationale; give it verified ones only")
