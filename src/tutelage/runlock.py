"""The lock of a run directory: held by the process that runs there, looked at by those that read."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import RunError

PATIENCE = 0.5
"""Seconds for which somebody may look at the lock, or end just now, before it counts as taken."""


class RunLock:
    """A file that one process has at a time; its hold goes with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is written yet."""
        self._path = path
        self._lock = FileLock(path, blocking=False)

    def take(self, patience: float) -> None:
        """Take the lock for this process.

        Args:
            patience: Seconds to wait for another process that has it.

        Raises:
            RunError: If another process has it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=patience, blocking=patience > 0)
        except Timeout:
            raise RunError(f"{self._path.parent}: another process is running here (lock file {self._path})") from None

    def give_back(self) -> None:
        """Let others take it."""
        self._lock.release()

    @property
    def taken(self) -> bool:
        """Whether some process, this one included, has it.

        The look is a shared hold for a moment, on a file opened for reading: those who look do not take one another for
        the run, and see it, too, where they may not write.
        """
        if self._lock.is_locked:
            return True
        if sys.platform == "win32":
            return self._marked()
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return False  # nothing has run here, or it is not for us to read
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return self._marked() if error.errno == errno.ENOSYS else error.errno in (errno.EAGAIN, errno.EACCES)
        finally:
            os.close(descriptor)
        return False

    def _marked(self) -> bool:
        """Tell it by trying, where there is no flock: filelock knows other ways."""
        if not self._path.exists():
            return False  # trying would make the file
        probe = FileLock(self._path, blocking=False)
        try:
            probe.acquire()
        except Timeout:
            return True
        except OSError:
            return False  # somebody else's, which we may read but not take
        probe.release()
        return False
