"""What went wrong before: the error journal (the truth) and its vector index (rebuildable)."""

from __future__ import annotations

from .description import describe
from .errors import ErrorMemory
from .journal import ErrorEntry, ErrorJournal, OutcomeEntry

__all__ = ["ErrorEntry", "ErrorJournal", "ErrorMemory", "OutcomeEntry", "describe"]
