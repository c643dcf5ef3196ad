"""Who writes rationales."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from ..schema import Rationale, TeachingRequest


@runtime_checkable
class Teacher(Protocol):
    """Writes a rationale for one problem.

    It may have `check() -> None`, which raises InputError if it cannot work and costs nothing, `can_teach(problem) ->
    bool`, which says whether it has anything to say, `meet(student: CurrentStudent) -> None`, called before a cycle's
    teaching begins, `strategise(request: StrategyRequest) -> str`, sync or async, which says in a sentence or two how
    to go about a weakness, `estimate(request) -> Estimate` (see `tutelage.spending`), what a call takes, with
    `prices`, dollars a million tokens read and written or None, and `aclose()`, awaited at the end of a run.
    """

    name: str

    def teach(self, request: TeachingRequest) -> str | Rationale | Awaitable[str | Rationale]:
        """Return a worked solution; may be a coroutine function."""
        ...
