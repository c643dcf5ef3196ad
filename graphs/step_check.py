"""One call of the step checker, whatever it does: it returns a WrongStep or None, or one line names it."""

from __future__ import annotations

import inspect

from ..errors import RunError, blamed
from ..plugins import Plugin
from ..schema import Problem, WrongStep
from ..seams import StepChecker


class StepCheck:
    """Calls the step checker of a run; without one no step is ever found wrong.

    Attributes:
        checker: What is called.
        name: How it is named where it fails.
        spec: What a training process makes it again by; None if there is none, or an object was given.
    """

    def __init__(self, checker: StepChecker | None, name: str = "", spec: Plugin | None = None) -> None:
        """Guard a checker."""
        self.checker, self.name, self.spec = checker, name or type(checker).__name__, spec

    def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
        """Ask the checker; see `tutelage.seams.StepChecker`. It gets a copy of the problem.

        Raises:
            RunError: If it raises or returns something else than a wrong step within the text.
        """
        if self.checker is None:
            return None
        who = f"step checker {self.name}: problem {problem.id}"
        try:
            found = self.checker.find_wrong_step(problem.model_copy(deep=True), text, truncated)
        except Exception as error:
            named = blamed(who, error)
            if named is error:
                raise
            raise named from error
        return _read(found, text, who)


def _read(found: object, text: str, who: str) -> WrongStep | None:
    if found is None:
        return None
    if not isinstance(found, WrongStep):
        if inspect.iscoroutine(found):
            found.close()  # else Python warns that nobody has awaited it
        raise RunError(f"{who}: returned a {type(found).__name__}; return a tutelage.schema.WrongStep or None")
    if not 0 <= found.start <= found.end <= len(text):
        span, size = f"{found.start} to {found.end}", len(text)
        raise RunError(f"{who}: its wrong step spans {span} of a text of {size} characters; give offsets into the text")
    return found
