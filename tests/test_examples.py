"""Every example runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tutelage
from tutelage.configfile import load_config
from tutelage.graphs.preflight import examine_config

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)], capture_output=True, text=True, env={**os.environ}, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_tiny_loop(tmp_path: Path) -> None:
    began = time.monotonic()
    result = tutelage.run(EXAMPLES / "tiny.yaml", run_dir=tmp_path / "tiny")
    assert time.monotonic() - began < 150  # a minute on a quiet machine
    assert len(result.reports) == 4
    assert result.summary["test"]["best"] > result.summary["test"]["base"]


def test_quickstart() -> None:
    out = run("quickstart.py")
    assert "3 accepted" in out or "3 rolled_back" in out
    assert "lesson" in out


def test_custom_teacher() -> None:
    assert "lessons by origin: {'number line'}" in run("custom_teacher.py")
    assert len((EXAMPLES / "custom_teacher.py").read_text().splitlines()) < 30


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.yaml")))
def test_every_configuration_passes_the_doctor(name: str) -> None:
    assert [check for check in examine_config(load_config(EXAMPLES / name)) if check.problem] == []
