"""A watchdog: finds out that a worker process does nothing any more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path


class Watchdog:
    """Looks at files that a live worker writes to: its log, and the note of its latest step."""

    def __init__(self, files: Sequence[Path], seconds: float | None) -> None:
        """Begin to watch.

        Args:
            files: What the worker writes to; they need not exist yet.
            seconds: How long none of them may change; None is for ever.
        """
        self._files, self._seconds = files, seconds
        self._seen, self._since = self._look(), time.monotonic()

    def silent(self) -> bool:
        """Look again, and tell whether nothing has been written for so long."""
        if (seen := self._look()) != self._seen:
            self._seen, self._since = seen, time.monotonic()
        return self._seconds is not None and time.monotonic() - self._since >= self._seconds

    def _look(self) -> list[tuple[int, int] | None]:
        return [_state(file) for file in self._files]


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None  # not there yet, or just being replaced
    return found.st_size, found.st_mtime_ns
