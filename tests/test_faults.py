"""A run against a server that fails: every rationale ends verified or counted by reason, and nothing is paid twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity.wait import wait_random_exponential

import tutelage
from tutelage.agents.chat import retries
from tutelage.errors import InputError
from tutelage.rundir import RunDir
from tutelage.testing import fake_config
from tutelage.testing.faults import Fault, Faults

PROBLEMS = 120
SHARES = {"rate_limited": 0.05, "server_error": 0.02, "malformed_text": 0.02, "malformed_body": 0.02, "silent": 0.01}


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a server in a process of its own, with faults; return its URL."""
    started = []

    def start(**faults: Any) -> str:
        command = [sys.executable, "-m", "tutelage.testing.chat_server", "--faults", json.dumps(faults)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("lasting", [False, True])
def test_every_rationale_is_accounted_for_and_paid_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., str], lasting: bool
) -> None:
    monkeypatch.setattr(retries, "_backoff", wait_random_exponential(multiplier=0.05, max=0.2))
    url = serve(**SHARES, lasting=lasting, seed=1)
    chat = {"model": "fake", "base_url": url, "concurrency": 32, "timeout": 1.0, "retries": 2 if lasting else 8}
    config = fake_config(
        task={"name": "tutelage.testing:FakeTask", "options": {"train": PROBLEMS}},
        teachers=[{"name": "chat", "options": chat}],
        plan={"lessons": None},
        teach={"concurrency": 32},
        stop={"cycles": 1},
    )
    result = tutelage.run(config, run_dir=tmp_path / "run")
    became = Counter({r.problem_id: r.rejected or "verified" for r in RunDir(result.path).rationales(1)}.values())
    server, cost = httpx.get(url.removesuffix("/v1") + "/counts").json(), result.reports[1].cost
    assert became.total() == PROBLEMS
    assert set(server["faults"]) == set(SHARES), "the server has failed in every way"
    assert (server["paid_twice"], server["paid"]) == (0, cost.calls)
    lost = sum(n for fault, n in server["faults"].items() if fault != "malformed_text") // 3
    assert became["failed"] == (lost if lasting else 0)
    assert became["verified"] >= PROBLEMS - became["failed"] - 2


def test_a_fate_is_drawn_by_content_and_try() -> None:
    some = Faults(rate_limited=0.05, server_error=0.02, malformed_text=0.02, silent=0.01)
    fates = [some.draw(f"{i:08x}", 0) for i in range(20_000)]
    assert fates == [some.draw(f"{i:08x}", 0) for i in range(20_000)]
    for fault, share in ((Fault.RATE_LIMITED, 0.05), (Fault.SILENT, 0.01), (Fault.MALFORMED_BODY, 0.0)):
        assert fates.count(fault) / len(fates) == pytest.approx(share, abs=0.005)
    lost = [i for i, fate in enumerate(fates) if fate]
    assert any(some.draw(f"{i:08x}", 1) is None for i in lost)
    lasting = Faults(silent=0.1, lasting=True)
    assert all(lasting.draw(f"{i:08x}", 0) == lasting.draw(f"{i:08x}", 5) for i in range(200))
    with pytest.raises(InputError, match="faults"):
        Faults(silent=0.7, server_error=0.7)
