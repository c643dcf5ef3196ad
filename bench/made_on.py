"""On what a figure was made: the part that every report of a bench has."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any


def made_on(packages: Iterable[str]) -> dict[str, Any]:
    """Return the machine, how busy it is now, Python, and the versions of some packages."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


def commit() -> str:
    """Return the commit that runs, with a + where the working tree differs from it."""
    dirty = subprocess.check_output(["git", "status", "--porcelain", "--", ".", ":!bench/results"], text=True).strip()
    return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip() + "+" * bool(dirty)
