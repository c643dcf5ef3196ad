"""Print what bench/purification.py found as the tables of docs/purification.md.

python bench/purification_table.py tiny
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from purification import PURIFIERS, TEACHERS, Arm

RESULTS = Path(__file__).parent / "results"


def table(report: dict[str, Any]) -> str:
    """Return the teachers alone, then each purifier by number of teachers, as Markdown."""
    counts = sorted({len(run["teachers"]) for run in report["runs"]} - {1})
    rows = [["", *(f"{count} teachers" for count in counts), "conflicts resolved", "calls", "seconds", "mitigation"]]
    rows.append(["---"] * len(rows[0]))
    rows += [_alone(report, name, len(counts)) for name in TEACHERS]
    used = {run["purifier"] for run in report["runs"]}
    rows += [_purifier(report, name, counts) for name in PURIFIERS if name in used]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _alone(report: dict[str, Any], teacher: str, columns: int) -> list[str]:
    found = report["arms"].get(Arm("first", (teacher,)).name)
    return [f"`{teacher}` alone: {_accuracy(found)}", *[""] * columns, "", _calls(found), "", ""]


def _purifier(report: dict[str, Any], name: str, counts: list[int]) -> list[str]:
    arms = [report["arms"].get(Arm(name, TEACHERS[:count]).name) for count in counts]
    last = arms[-1] or {}
    resolved = "" if last.get("resolved") is None else f"{last['resolved']:.3f}"
    seconds = f"{last['purifier_seconds']:.1f}" if last else ""
    return [f"`{name}`", *map(_accuracy, arms), resolved, _calls(last), seconds, _mitigation(report, name)]


def _accuracy(found: dict[str, Any] | None) -> str:
    if not found:
        return ""
    return f"{found['mean']:.3f}" + ("" if found["sd"] is None else f" ± {found['sd']:.3f}")


def _calls(found: dict[str, Any] | None) -> str:
    return " + ".join(f"{count:.0f}" for count in found["calls"]) if found else ""


def _mitigation(report: dict[str, Any], name: str) -> str:
    found = report["mitigation"].get(name)
    if not found:
        return ""
    return f"{found['mean']:+.3f} ({', '.join(f'{value:+.3f}' for value in found['by_seed'].values())})"


if __name__ == "__main__":
    print(table(json.loads((RESULTS / f"purification_{sys.argv[1]}.json").read_text())))
