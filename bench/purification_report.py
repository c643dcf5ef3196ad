"""What bench/purification.py found, as figures and as a table of docs/purification.md.

python bench/purification_report.py bench/results/purification_tiny.json
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

Run = dict[str, Any]


def summary(runs: list[Run], arms: list[tuple[str, tuple[str, ...], str]]) -> dict[str, Any]:
    """Return the figures of each arm over seeds, in the order given, and each purifier's gain over `all`."""
    found = {arm: [run for run in runs if arm_of(run) == arm] for arm in arms}
    purifiers = dict.fromkeys(arm[0] for arm in arms if len(arm[1]) > 1 and arm[2] == "answer" and arm[0] != "all")
    teachers = max((arm[1] for arm in arms), key=len)
    return {
        "arms": [_figures(*arm, some) for arm, some in found.items() if some],
        "mitigation": {name: _mitigation(runs, arms, name, teachers) for name in purifiers},
    }


def arm_of(run: Run) -> tuple[str, tuple[str, ...], str]:
    """Return the purifier, the teachers and the check of a run."""
    return run["purifier"], tuple(run["teachers"]), run["check"]


def _figures(purifier: str, teachers: tuple[str, ...], check: str, runs: list[Run]) -> dict[str, Any]:
    reached, conflicts = [run["accuracy"] for run in runs], sum(run["conflicts"] for run in runs)
    return {
        "purifier": purifier,
        "teachers": list(teachers),
        "check": check,
        "seeds": [run["seed"] for run in runs],
        "accuracy": round(statistics.mean(reached), 4),
        "sd": round(statistics.stdev(reached), 4) if len(reached) > 1 else None,
        "resolved": round(sum(run["resolved"] for run in runs) / conflicts, 4) if conflicts else None,
        "calls": [round(statistics.mean(calls)) for calls in zip(*(run["calls"] for run in runs), strict=True)],
        "purifier_seconds": round(statistics.median(run["purifier_seconds"] for run in runs), 1),
    }


def _mitigation(
    runs: list[Run], arms: list[tuple[str, tuple[str, ...], str]], purifier: str, teachers: tuple[str, ...]
) -> dict[str, Any] | None:
    """Return the mean gain over `all` as teachers are added, by seed (after arXiv 2602.01064).

    The mean is over those numbers of teachers, above one, that the bench has; None for a seed that lacks any of them.
    """
    sets = [arm[1] for arm in arms if arm[0] == purifier and arm[2] == "answer" and arm[1] == teachers[: len(arm[1])]]
    reached = {(*arm_of(run)[:2], run["seed"]): run["accuracy"] for run in runs if run["check"] == "answer"}
    gains: dict[str, float] = {}
    for seed in sorted({run["seed"] for run in runs}):
        pairs = [(reached.get((purifier, some, seed)), reached.get(("all", some, seed))) for some in sets]
        known = [one - other for one, other in pairs if one is not None and other is not None]
        if len(known) == len(sets):
            gains[str(seed)] = round(statistics.mean(known), 4)
    return {"mean": round(statistics.mean(gains.values()), 4), "by_seed": gains} if gains else None


def table(report: dict[str, Any]) -> str:
    """Return a row for each purifier, its accuracy by number of teachers, as Markdown; and one for each set aside."""
    most = max((arm["teachers"] for arm in report["arms"]), key=len)
    counts = sorted({len(arm["teachers"]) for arm in report["arms"]})
    head = ["", *(f"{count} teacher{'s' * (count > 1)}" for count in counts), "resolved", "calls", "seconds", "gain"]
    rows = [head, ["---"] * len(head)]
    apart = [arm for arm in report["arms"] if arm["teachers"] != most[: len(arm["teachers"])] or _bare(arm)]
    rows += [_row(_name(arm), [arm], counts, None) for arm in apart]
    for name in dict.fromkeys(arm["purifier"] for arm in report["arms"] if arm not in apart):
        some = [arm for arm in report["arms"] if arm["purifier"] == name and arm not in apart]
        rows.append(_row(f"`{name}`", some, counts, report["mitigation"].get(name)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _bare(arm: dict[str, Any]) -> bool:
    return len(arm["teachers"]) == 1 or arm["check"] != "answer"


def _name(arm: dict[str, Any]) -> str:
    if len(arm["teachers"]) == 1:
        return f"`{arm['teachers'][0]}` alone"
    if arm["check"] != "answer":
        return f"`{arm['purifier']}`, `teach.check: {arm['check']}`"
    return f"`{arm['purifier']}`, four alike"


def _row(name: str, some: list[dict[str, Any]], counts: list[int], gain: dict[str, Any] | None) -> list[str]:
    by_count = {len(arm["teachers"]): arm for arm in some}
    last = by_count[max(by_count)]
    reached = [_accuracy(by_count[count]) if count in by_count else "" for count in counts]
    resolved = "" if last["resolved"] is None else f"{last['resolved']:.0%}"
    told = (
        "" if not gain else f"{gain['mean']:+.3f} ({', '.join(f'{value:+.3f}' for value in gain['by_seed'].values())})"
    )
    return [name, *reached, resolved, " + ".join(map(str, last["calls"])), f"{last['purifier_seconds']:.1f}", told]


def _accuracy(arm: dict[str, Any]) -> str:
    return f"{arm['accuracy']:.3f}" + ("" if arm["sd"] is None else f" ± {arm['sd']:.3f}")


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text())))
