"""What bench/curriculum.py found, as a table of docs/curriculum.md and as curves beside it.

python bench/curriculum_report.py bench/results/curriculum_tiny.json --curves docs/curriculum_tiny.svg
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curriculum import PLANNERS
from curriculum_task import POOLS, RAREST, SKILLS

Run = dict[str, Any]
BOTH = "both"


def shared(runs: list[Run]) -> list[Run]:
    """Return the runs of those pools and seeds that all planners have, so that means are over the same."""
    had = [{(run["pool"], run["seed"]) for run in runs if run["planner"] == name} for name in _planners(runs)]
    return [run for run in runs if all((run["pool"], run["seed"]) in one for one in had)]


def of_arm(runs: list[Run], pool: str, planner: str) -> list[Run]:
    """Return an arm's runs in a pool, or in `BOTH`."""
    return [run for run in runs if run["planner"] == planner and pool in (run["pool"], BOTH)]


def last(run: Run) -> float:
    """Return the accuracy of a run's last student."""
    return float(run["cycles"][-1]["accuracy"])


def ranking(runs: list[Run], pool: str = BOTH) -> list[str]:
    """Return the planners, the one whose last students are best on the mean first."""
    found = [planner for planner in PLANNERS if of_arm(runs, pool, planner)]
    return sorted(found, key=lambda planner: -statistics.mean(map(last, of_arm(runs, pool, planner))))


def gains(runs: list[Run], pool: str, planner: str) -> list[float]:
    """Return by how much an arm's last accuracy is above that of `uniform`, for each pool and seed that both have."""
    base = {(run["pool"], run["seed"]): last(run) for run in of_arm(runs, pool, "uniform")}
    both = [run for run in of_arm(runs, pool, planner) if (run["pool"], run["seed"]) in base]
    return [round(last(run) - base[run["pool"], run["seed"]], 4) for run in both]


def gains_by_planner(reports: Sequence[list[Run]]) -> dict[str, float]:
    """Return the mean gain over `uniform` of the planners that all reports have, the best first.

    Each report (a student) counts as much as another, in it each pool and seed. `uniform` itself gains 0.
    """
    common = set.intersection(*(_planners(runs) for runs in reports))
    found = {
        name: statistics.mean(statistics.mean(gains(runs, BOTH, name)) for runs in reports)
        for name in PLANNERS
        if name in common
    }
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def table(runs: list[Run]) -> str:
    """Return a row for each pool and planner as Markdown, the best first: means over seeds, on the gate split."""
    first = ["pool", "planner", "base", "last", "± sd", "over `uniform`", "of these above 0", "all cycles", RAREST]
    head = [*first, "calls", "tokens"]
    rows = [head, ["---"] * len(head)]
    for pool in (BOTH, *POOLS):
        rows += [[pool, f"`{planner}`", *_figures(runs, pool, planner)] for planner in ranking(runs, pool)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figures(runs: list[Run], pool: str, planner: str) -> list[str]:
    some, over = of_arm(runs, pool, planner), gains(runs, pool, planner)
    ends = [last(run) for run in some]
    compared = [f"{statistics.mean(over):+.3f}", f"{sum(gain > 0 for gain in over)} of {len(over)}"]
    return [
        f"{statistics.mean(run['cycles'][0]['accuracy'] for run in some):.3f}",
        f"**{statistics.mean(ends):.3f}**",
        f"{statistics.stdev(ends):.3f}" if len(ends) > 1 and pool != BOTH else "",
        *(["", ""] if planner == "uniform" else compared),
        f"{statistics.mean(cycle['accuracy'] for run in some for cycle in run['cycles'][1:]):.3f}",
        f"{statistics.mean(run['cycles'][-1]['by_skill'][RAREST] for run in some):.3f}",
        f"{statistics.mean(sum(cycle['calls'] for cycle in run['cycles']) for run in some):.0f}",
        f"{statistics.mean(sum(cycle['tokens'] for cycle in run['cycles']) for run in some):.0f}",
    ]


def _planners(runs: list[Run]) -> set[str]:
    return {run["planner"] for run in runs}


def draw(runs: list[Run], planners: list[str], path: Path) -> None:
    """Draw each skill's accuracy by cycle, a row for each pool and a line for each planner: means over seeds."""
    from matplotlib import pyplot, rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "curriculum", "font.size": 8}):
        figure, axes = pyplot.subplots(len(POOLS), len(SKILLS), figsize=(14, 4.4), sharex=True, sharey=True)
        for row, pool in zip(axes, POOLS, strict=True):
            row[0].set_ylabel(pool)
            for cell, skill in zip(row, SKILLS, strict=True):
                cell.set_title(f"{skill} ({POOLS[pool][skill]:.0%})", fontsize=7)
                for planner in planners:
                    some = of_arm(runs, pool, planner)
                    heights = [
                        statistics.mean(marks) for marks in zip(*(_marks(one, skill) for one in some), strict=True)
                    ]
                    cell.plot(range(len(heights)), heights, label=planner, linewidth=1.2)
                cell.set_ylim(0, 1.02)
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="lower center", ncols=len(planners), frameon=False)
        figure.tight_layout(rect=(0, 0.06, 1, 1))
        figure.savefig(path, metadata={"Date": None})


def _marks(run: Run, skill: str) -> list[float]:
    return [cycle["by_skill"][skill] for cycle in run["cycles"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--curves", type=Path, help="an SVG file to draw")
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=list(PLANNERS), help="to draw")
    given = parser.parse_args()
    made = json.loads(given.report.read_text())["runs"]
    runs = shared(made)
    if "uniform" not in _planners(runs):
        raise SystemExit(f"{given.report}: has no pool and seed that all planners have, `uniform` among them")
    print(table(runs))
    if left := len(made) - len(runs):
        print(f"left out: {left} of {len(made)} runs, of pools and seeds that not all planners have", file=sys.stderr)
    if given.curves:
        draw(runs, given.planners, given.curves)


if __name__ == "__main__":
    main()
