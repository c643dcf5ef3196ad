"""Who names what the student cannot do yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..schema import Attempt, Diagnosis, Problem


@runtime_checkable
class Diagnostician(Protocol):
    """Names what the student cannot do yet.

    It may have `check() -> None`, which raises InputError if it cannot work and costs nothing, `check_skills(skills:
    Collection[str]) -> None`, the same once the task's skills are known (none if a problem has no tags), and a
    `describer`: None or an object with `describe(diagnosis, problems: Mapping[str, Problem]) -> Diagnosis`, sync or
    async. Of what that returns the descriptions are taken, nothing else; where it fails, those of the diagnosis stand.
    The problems are tagged as the diagnosis has it. With it go `estimate(problems) -> Estimate`, what describing one
    diagnosis takes, `prices`, and maybe `aclose()`, awaited after each diagnosis.

    What it names is tested on fresh problems (`exam.confirm`), unless it brings a confirmation of its own. It may have
    `caveat(cycles, skills) -> str | None`, what a person should know before a run of so many cycles, and
    `threshold: float`, the pass rate from which a skill counts as mastered in that test; 0.8 without.
    """

    def diagnose(
        self, problems: Mapping[str, Problem], attempts: Sequence[Attempt], earlier: Sequence[Diagnosis]
    ) -> Diagnosis:
        """Group the failures of `attempts` (one student, graded, wrong steps marked) into weaknesses.

        `earlier` holds the diagnoses of the cycles before: last, in order, those of the students that this one came
        from; before them all others, this student's own included, for their names only, without mastery.
        """
        ...
