"""What the check says of a text that a person wrote in a run that waits."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import InputError
from ..reviews import Proposal
from ..rundir import RunDir
from ..schema import Problem, Split

if TYPE_CHECKING:
    from ..graphs.text_check import TextCheck


class EditCheck:
    """Checks texts as a teacher's are; what that takes is made at the first one."""

    def __init__(self, rundir: RunDir) -> None:
        """Point at a run."""
        self._rundir = rundir

    def objection(self, proposal: Proposal, text: str, anyway: bool = False) -> str | None:
        """Return why a text may not be taught, in one line; None if it may.

        Args:
            proposal: The lesson that it is for.
            text: What a person wrote.
            anyway: Whether a text that cannot be checked here is only told of.

        Raises:
            InputError: If it cannot be checked here.
        """
        from ..graphs.text_check import objection

        try:
            check = self._check
        except InputError as error:
            if not anyway:
                raise
            return f"not checked: {error}"
        return objection(check.judge(self._problems[proposal.lesson.problem_id], text), check.limit)

    @cached_property
    def _check(self) -> TextCheck:
        from ..graphs.text_check import read_check

        return read_check(self._rundir)

    @cached_property
    def _problems(self) -> dict[str, Problem]:
        return {problem.id: problem for problem in self._rundir.problems()[Split.TRAIN]}
