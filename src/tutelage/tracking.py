"""Live tracking: a run's listener that has the run exported after each cycle, by a process of its own.

So nothing of another tool is loaded into the run, and whatever becomes of that tool, the run goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .config import MlflowConfig, RunConfig
from .errors import InputError, harmless
from .lineage import REPORTING

Listener = Callable[[dict[str, Any]], None]

_PATIENCE = 120.0
"""Seconds that the end of a run waits for its last export."""

_LAST_WORDS = 10_000
"""Bytes of what a failed export has said that are looked at."""


def require_tracking(config: RunConfig) -> None:
    """Find out before a run whether it can be tracked as its configuration says.

    Raises:
        InputError: If a package is missing, or the store cannot be used.
    """
    from .export.mlflow import require_store

    try:
        if config.track.mlflow:
            require_store(config.track.mlflow.store)
    except InputError as error:
        raise InputError(f"track.mlflow: {error}, or set track.mlflow=null") from error


@contextmanager
def tracked(path: Path, config: RunConfig, listen: Listener) -> Iterator[Listener]:
    """Give what listens to a run in place of `listen`, and show the run's end when it has ended, however it did.

    Raises:
        InputError: If the run cannot be tracked; it is not begun.
    """
    require_tracking(config)
    tracker = Tracker(path, config, listen)
    try:
        yield tracker
    finally:
        if tracker.heard:
            tracker.close()


class Tracker:
    """Hears a run's events, and hands them on; after each cycle it starts an export.

    A failure is told once, on stderr; the run does not notice.
    """

    def __init__(self, path: Path, config: RunConfig, listen: Listener) -> None:
        """Track the run in a directory; one that is not to be tracked is only listened to."""
        self._command = None if config.track.mlflow is None else _command(path, config.track.mlflow)
        self._listen = listen
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._told = False
        self.heard = False
        """Whether the run has begun; one that was refused, or is over, has nothing new to show."""

    def __call__(self, event: dict[str, Any]) -> None:
        """Hand on an event; if a cycle ends with it, and no export is under way, start one."""
        self.heard = True
        self._listen(event)
        if self._command is None or event.get("kind") != "finished" or event.get("node") not in REPORTING:
            return
        if self._process is None or self._process.poll() is not None:
            self._look()
            self._start()

    def close(self) -> None:
        """Export the run once more, now that it has ended, and wait for it."""
        if self._command is None:
            return
        deadline = time.monotonic() + _PATIENCE
        if self._wait(deadline):
            self._start()
            self._wait(deadline)

    def _start(self) -> None:
        try:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
            self._process = subprocess.Popen(
                self._command or (),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,  # Ctrl-C is for the run, whose end is then exported
            )
        except OSError as error:
            self._tell(f"cannot be started: {error.strerror}")

    def _wait(self, deadline: float) -> bool:
        """Wait for the export that is under way, if one is; return False if it had to be ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._tell(f"an export took more than {_PATIENCE:.0f} s and was ended")
            return False
        self._look()
        return True

    def _look(self) -> None:
        """Read how the last export ended."""
        if self._process is None or self._said is None:
            return
        code, said = self._process.returncode, self._said
        with said:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _LAST_WORDS))
            lines = said.read().decode(errors="replace").split("\n")
        self._process = self._said = None
        if code:
            words = next((line for line in reversed(lines) if line.strip()), f"ended with {code}")
            self._tell(words.removeprefix("tutelage: "))

    def _tell(self, what: str) -> None:
        if not self._told:
            told = f"tutelage: tracking failed, the run is not affected: {harmless(what)[:500]}"
            print(told, file=sys.stderr)
        self._told = True


def _command(path: Path, config: MlflowConfig) -> list[str]:
    given = [f"--store={config.store}", f"--experiment={config.experiment}", f"--traces={config.traces}"]
    return [sys.executable, "-m", "tutelage", "export", "mlflow", *given, "--", str(path)]
