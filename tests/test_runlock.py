"""The lock of a run: those who look at it are neither taken for the run nor in its way."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import RunError
from tutelage.rundir import RunDir

ReadOnly = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A run that nobody works on any more."""
    made = RunDir(tmp_path)
    made.lock()
    made.unlock()
    return made


@contextmanager
def looking(run: RunDir) -> Iterator[threading.Event]:
    """Stop a reader in the middle of its look at the lock; it goes on when it is told to, or at the end."""
    arrived, go_on, flock = threading.Event(), threading.Event(), fcntl.flock

    def slow(*arguments: Any) -> None:
        flock(*arguments)
        if threading.current_thread() is reader:
            arrived.set()
            go_on.wait(10)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fcntl, "flock", slow)
        reader = threading.Thread(target=lambda: RunDir(run.path).locked)
        reader.start()
        assert arrived.wait(10)
        yield go_on
        go_on.set()
        reader.join()


def test_two_readers_do_not_take_each_other_for_the_run(run: RunDir) -> None:
    with looking(run):
        assert not RunDir(run.path).locked


def test_who_begins_waits_for_a_reader_and_no_longer(run: RunDir) -> None:
    with looking(run) as go_on:
        for patience, least in (({}, 0.4), ({"patience": 0.0}, 0.0)):
            began = time.monotonic()
            with pytest.raises(RunError, match="another process is running here"):
                run.lock(**patience)
            assert least <= time.monotonic() - began < least + 3
        threading.Timer(0.1, go_on.set).start()
        run.lock()
    run.unlock()


WATCH = """
import sys
from pathlib import Path
from tutelage.rundir import RunDir
run = RunDir(Path(sys.argv[1]))
print(flush=True)
while True:
    run.locked
"""


def test_who_begins_is_not_refused_beside_one_who_watches(run: RunDir) -> None:
    watcher = subprocess.Popen([sys.executable, "-c", WATCH, str(run.path)], stdout=subprocess.PIPE)
    try:
        assert watcher.stdout and watcher.stdout.readline()
        for _ in range(200):
            run.lock()
            run.unlock()
    finally:
        watcher.kill()
        watcher.communicate()


def test_another_user_sees_that_a_run_goes_on(open_folder: Path, read_only: ReadOnly) -> None:
    run = RunDir(open_folder)
    run.lock()
    with read_only(open_folder):
        assert RunDir(open_folder).locked
    run.unlock()
    with read_only(open_folder):
        assert not RunDir(open_folder).locked


def test_without_such_locks_the_file_tells(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise OSError(errno.ENOSYS, "no flock here")

    (run.path / "lock").unlink()
    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.warns(UserWarning, match="flock not supported"):
        run.lock()
        assert RunDir(run.path).locked
    run.unlock()
    assert not RunDir(run.path).locked
