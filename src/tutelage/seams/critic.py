"""Who asks about a rationale that was turned away."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, Protocol, runtime_checkable

from ..schema import Rationale, TeachingRequest

NOTHING_TO_ASK: Final = "Nothing to ask."
"""What a critic returns where refining has nothing to gain: the lesson on this problem then ends."""


@runtime_checkable
class Critic(Protocol):
    """Asks one question about a rationale that was turned away; it does not write it anew.

    Reflection-in-Reflection (arXiv 2601.14798): one Socratic question or a fixed stop signal a round. It may have
    `check() -> None`, which raises InputError if it cannot work and costs nothing, `estimate(request, rationale) ->
    Estimate` with `prices`, as a teacher has them, and `aclose()`, awaited at the end of a run.
    """

    def critique(self, request: TeachingRequest, rationale: Rationale) -> str | Awaitable[str]:
        """Return one question, or `NOTHING_TO_ASK`; may be a coroutine function.

        `rationale` has its verdict; `request.earlier` has the lesson's revisions before it, with what was asked then.
        """
        ...
