"""What tells a run from any other, wherever its folder lies and whatever it is called."""

from __future__ import annotations

import hashlib

from .. import jsonl
from ..rundir import RunDir


def run_mark(rundir: RunDir) -> str:
    """Return 32 hexadecimal digits that stay a run's own: of its problems, and of the moment it began.

    Raises:
        RunError: If the run's events cannot be read.
    """
    problems = rundir.path / "problems.jsonl"
    mark = hashlib.sha256(problems.read_bytes() if problems.exists() else b"")
    for event in jsonl.read(rundir.events):
        mark.update(repr(event["time"]).encode())
        break
    return mark.hexdigest()[:32]
