"""How long a large run takes to be read, and an event to be written.

    python bench/traces_at_scale.py

Writes a run of 10,000 problems, 5 cycles and 200,000 events that nobody ran, and times the commands on it, each in a
process of its own. The page is opened in Chromium where Playwright and a browser are there.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from large_run import write_large_run
from made_on import made_on

from tutelage.rundir import RunDir

PACKAGES = ("tutelage", "plotly", "pydantic")


def timed(*arguments: object) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tutelage", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def several(repeats: int, *arguments: object) -> dict[str, float]:
    """Return the median and the most of several times."""
    seconds = [timed(*arguments) for _ in range(repeats)]
    return {"median_s": round(statistics.median(seconds), 3), "most_s": round(max(seconds), 3)}


def event_cost(folder: Path, events: int = 20_000) -> dict[str, float]:
    """Return the microseconds that an event takes to be written."""
    rundir, costs = RunDir(folder), []
    for done in range(events):
        began = time.perf_counter()
        rundir.write_event({"kind": "progress", "node": "teach", "cycle": 3, "done": done, "total": events})
        costs.append(1e6 * (time.perf_counter() - began))
    return {"median_us": round(statistics.median(costs), 1), "p95_us": round(sorted(costs)[int(0.95 * events)], 1)}


def opened(page: Path, repeats: int) -> dict[str, float] | None:
    """Return the seconds until the page of a run can be used; None where there is no browser."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        seconds = []
        for _ in range(repeats):
            tab = browser.new_context(offline=True).new_page()
            began = time.perf_counter()
            tab.goto(page.resolve().as_uri())
            tab.wait_for_selector("body[data-ready]")
            seconds.append(time.perf_counter() - began)
            tab.close()
    return {"median_s": round(statistics.median(seconds), 2), "most_s": round(max(seconds), 2)}


def measure(folder: Path, problems: int, cycles: int, events: int, repeats: int) -> dict[str, Any]:
    rundir = write_large_run(folder / "run", problems=problems, cycles=cycles, events=events)
    page = folder / "report.html"
    lesson = rundir.lessons(cycles - 2)[5].problem_id
    made = several(1, "report", rundir.path, "-o", page)  # first: the memory is that of the largest command so far
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    found: dict[str, Any] = {
        "rows": sum(len(path.read_bytes().splitlines()) for path in rundir.path.rglob("*.jsonl")),
        "event": event_cost(folder / "events"),
        "trace": several(repeats, "trace", rundir.path, "--problem", lesson),
        "trace_changed": several(repeats, "trace", rundir.path, "--changed", 2),
        "show": several(repeats, "show", rundir.path),
    }
    found["report"] = {**made, "page_mb": round(page.stat().st_size / 1e6, 1), "memory_mb": round(memory)}
    found["page_opens"] = opened(page, repeats)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=5)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("bench/results/traces_at_scale.json"))
    given = parser.parse_args()
    sizes = {"problems": given.problems, "cycles": given.cycles, "events": given.events}
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), **sizes, repeats=given.repeats)
    told = {"command": "python bench/traces_at_scale.py", **made_on(PACKAGES), **sizes, **found}
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
