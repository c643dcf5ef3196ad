"""How tasks read and compare final answers: `tutelage.answers`, which rewards read by too."""

from ..answers import (
    MARKER,
    MAX_NUMBER,
    after_marker,
    as_number,
    contains,
    extract_answer,
    normalise,
    same,
    tidy,
)

__all__ = [
    "MARKER",
    "MAX_NUMBER",
    "after_marker",
    "as_number",
    "contains",
    "extract_answer",
    "normalise",
    "same",
    "tidy",
]
