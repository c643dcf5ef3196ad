"""What bench/curriculum.py found, as a table of docs/curriculum.md and as curves beside it.

python bench/curriculum_report.py bench/results/curriculum_tiny.json --curves docs/curriculum_tiny.svg
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from curriculum import PLANNERS
from curriculum_task import POOLS, RAREST, SKILLS

Run = dict[str, Any]


def of_arm(runs: list[Run], pool: str, planner: str) -> list[list[dict[str, Any]]]:
    """Return the cycles of an arm, for each of its seeds."""
    return [run["cycles"] for run in runs if (run["pool"], run["planner"]) == (pool, planner)]


def gains(runs: list[Run], pool: str, planner: str) -> list[float]:
    """Return by how much an arm's last accuracy is above that of `uniform`, for each seed that both have."""
    last = {(run["planner"], run["seed"]): run["cycles"][-1]["accuracy"] for run in runs if run["pool"] == pool}
    seeds = sorted({seed for _, seed in last})
    pairs = [(last.get((planner, seed)), last.get(("uniform", seed))) for seed in seeds]
    return [round(one - other, 4) for one, other in pairs if one is not None and other is not None]


def overall(runs: list[Run], planner: str) -> float:
    """Return the mean of a planner's last accuracies over pools and seeds: what the default is chosen by."""
    return statistics.mean(run["cycles"][-1]["accuracy"] for run in runs if run["planner"] == planner)


def table(runs: list[Run]) -> str:
    """Return a row for each pool and planner as Markdown, the best first: means over seeds, on the gate split."""
    head = ["pool", "planner", "base", "last", "± sd", "over `uniform`, by seed", "all cycles", RAREST, "lessons"]
    rows = [head, ["---"] * len(head)]
    for pool in POOLS:
        arms = [planner for planner in PLANNERS if of_arm(runs, pool, planner)]
        arms.sort(key=lambda planner: -_mean(of_arm(runs, pool, planner), -1))
        rows += [[pool, f"`{planner}`", *_figures(runs, pool, planner)] for planner in arms]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _mean(some: list[list[dict[str, Any]]], cycle: int) -> float:
    return statistics.mean(cycles[cycle]["accuracy"] for cycles in some)


def _figures(runs: list[Run], pool: str, planner: str) -> list[str]:
    some = of_arm(runs, pool, planner)
    last = [cycles[-1]["accuracy"] for cycles in some]
    through = statistics.mean(cycle["accuracy"] for cycles in some for cycle in cycles[1:])
    rare = statistics.mean(cycles[-1]["by_skill"][RAREST] for cycles in some)
    lessons = statistics.mean(sum(sum(cycle["lessons"].values()) for cycle in cycles) for cycles in some)
    spread = f"{statistics.stdev(last):.3f}" if len(last) > 1 else ""
    over = "" if planner == "uniform" else ", ".join(f"{gain:+.3f}" for gain in gains(runs, pool, planner))
    return [
        f"{_mean(some, 0):.3f}",
        f"**{_mean(some, -1):.3f}**",
        spread,
        over,
        *(f"{value:.3f}" for value in (through, rare)),
        f"{lessons:.0f}",
    ]


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


def _marks(cycles: list[dict[str, Any]], skill: str) -> list[float]:
    return [cycle["by_skill"][skill] for cycle in cycles]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--curves", type=Path, help="an SVG file to draw")
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=list(PLANNERS), help="to draw")
    given = parser.parse_args()
    runs = json.loads(given.report.read_text())["runs"]
    print(table(runs))
    for planner in PLANNERS:
        if any(run["planner"] == planner for run in runs):
            print(f"{planner}: {overall(runs, planner):.4f} over both pools")
    if given.curves:
        draw(runs, given.planners, given.curves)


if __name__ == "__main__":
    main()
