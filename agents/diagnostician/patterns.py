"""Which error patterns are frequent enough to be weaknesses of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...error_patterns import PATTERNS, error_kind
from ...schema import Attempt

PATTERN_SHARE: Final = 0.1
"""A pattern in fewer attempts than this is no weakness of its own; those failures count for the skills."""


def frequent_patterns(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the kinds of `PATTERNS` by which enough of the attempts fail, in that table's order."""
    kinds = [error_kind(attempt) for attempt in attempts if not attempt.correct]
    return tuple(kind for kind in PATTERNS if kind in kinds and kinds.count(kind) >= PATTERN_SHARE * len(attempts))
