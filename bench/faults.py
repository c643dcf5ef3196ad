"""A run of 2,000 rationales against a chat server that fails, and what became of each.

    python bench/faults.py --out bench/results/faults.json
    python bench/faults.py --lasting --out bench/results/faults-lasting.json
    python bench/faults.py --kill-at 1000 --out bench/results/faults-killed.json

The server, in a process of its own on the loopback interface, answers 5 % of the tries with 429, 2 % with 500, 2 % with
a text that holds no answer and 1 % never; with `--lasting` the same shares of calls, whatever is tried. The run is a
real one (`tutelage.run`, every node of the cycle) with a fake task, student and training stage, so its time is that
of the teach path: planning, lesson graph, chat teacher, call ledger, files. It fails if a rationale is neither verified
nor counted by reason, or if the server made one reply twice. With `--kill-at` the run is ended by `kill -9` after so
many rationales and then resumed; only what was in flight then may be paid twice, and times are those of the resume.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml
from made_on import made_on

import tutelage
from tutelage.rundir import RunDir
from tutelage.testing import fake_config

SHARES = {"rate_limited": 0.05, "server_error": 0.02, "malformed_text": 0.02, "silent": 0.01}
PACKAGES = ("tutelage", "langgraph", "langchain-openai", "openai", "httpx2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="rationales")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--timeout", type=float, default=2.0, help="seconds a try")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds the server takes for a reply")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--lasting", action="store_true", help="a call that fails once fails whenever it is tried")
    parser.add_argument("--kill-at", type=int, help="rationales after which the run is killed, and resumed")
    parser.add_argument("--out", type=Path, help="JSON file of the result")
    given = parser.parse_args()
    server, url = start_server(given)
    try:
        found = measure(given, url)
    finally:
        server.kill()
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")
    in_flight = given.concurrency if given.kill_at else 0
    if sum(found["became"].values()) != given.n or found["server"]["paid_twice"] > in_flight:
        raise SystemExit("a rationale is missing, or a request was paid twice")


def start_server(given: argparse.Namespace) -> tuple[subprocess.Popen[str], str]:
    faults = json.dumps({**SHARES, "seed": given.seed, "lasting": given.lasting})
    command = [
        sys.executable,
        "-m",
        "tutelage.testing.chat_server",
        "--faults",
        faults,
        "--latency",
        str(given.latency),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


def measure(given: argparse.Namespace, url: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        if given.kill_at:
            run_and_kill(config(given, url), path, given.kill_at)
        asked = counts_of(url)["requests"]
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        result = tutelage.resume(path) if given.kill_at else tutelage.run(config(given, url), run_dir=path)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        last = {r.problem_id: r.rejected or "verified" for r in RunDir(result.path).rationales(1)}
        report = result.reports[1]
    counts = counts_of(url)
    asked = counts["requests"] - asked
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "command": " ".join(["python", "bench/faults.py", *sys.argv[1:]]),
        "became": dict(Counter(last.values()).most_common()),
        "server": counts,
        "ledger": {"calls": report.cost.calls, "cached_calls": report.cost.cached_calls},
        "teach_seconds": round(report.seconds["teach"], 1),
        "requests_per_second": round(asked / report.seconds["teach"], 1),
        "wall_seconds": round(wall, 1),
        "cpu_seconds_per_1000_requests": round(1000 * cpu / asked, 1),
        "peak_rss_mib": round(after.ru_maxrss / 1024),
        "shares": SHARES,
        "seed": given.seed,
        **made_on(PACKAGES),
    }


def counts_of(url: str) -> dict[str, Any]:
    counts: dict[str, Any] = httpx.get(url.removesuffix("/v1") + "/counts").json()
    return counts


def run_and_kill(values: dict[str, Any], path: Path, rationales: int) -> None:
    """Start the run in a process of its own, and end it as a power cut would."""
    file = path.with_name("config.yaml")
    file.write_text(yaml.safe_dump(values))
    run = subprocess.Popen([sys.executable, "-m", "tutelage", "run", str(file), "--run-dir", str(path)])
    written = path / "rationales" / "cycle-001.jsonl"
    while not written.exists() or written.read_bytes().count(b"\n") < rationales:
        if run.poll() is not None:
            raise SystemExit("the run ended before it could be killed")
        time.sleep(0.05)
    run.kill()
    run.wait()
    time.sleep(1.0)  # what the server is still at ends before anything is asked again


def config(given: argparse.Namespace, url: str) -> dict[str, Any]:
    chat = {"model": "fake", "base_url": url, "concurrency": given.concurrency, "timeout": given.timeout}
    return fake_config(
        task={"name": "tutelage.testing:FakeTask", "options": {"train": given.n}},
        teachers=[{"name": "chat", "options": chat}],
        plan={"lessons": None},
        # Where a call fails for good, the run goes on: what is counted here is the failures.
        teach={"concurrency": given.concurrency},
        stop={"cycles": 1},
    )


if __name__ == "__main__":
    main()
