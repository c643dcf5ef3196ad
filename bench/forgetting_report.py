"""What bench/forgetting.py found, as the tables of docs/consolidation.md.

python bench/forgetting_report.py bench/results/forgetting_tiny.json --chosen bench/results/forgetting_tiny_dev.json
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from forgetting_arms import ARMS
from run_file import Run, as_markdown

PAIR = ("sft", "tpsft, all layers")
"""The arms that are compared at every learning rate."""
ENOUGH = 0.95
"""Share of the target accuracy of `sft` that `tpsft` must reach to be compared in what it loses."""


def of_arm(runs: Sequence[Run], arm: str, rate: float | None = None) -> list[Run]:
    """Return an arm's runs at a learning rate, None being the one chosen for it."""
    return [run for run in runs if run["arm"] == arm and run["rate"] == rate]


def mean(runs: Sequence[Run], name: str) -> float:
    return statistics.mean(run[name] for run in runs)


def lost(runs: Sequence[Run]) -> float:
    """Return the share forgotten of what the base student surely knew, the mean over runs."""
    return 1 - mean(runs, "retention")


def rates(runs: Sequence[Run], arm: str) -> list[float]:
    """Return the learning rates that an arm was run at beside the one chosen for it."""
    return sorted({run["rate"] for run in runs if run["arm"] == arm and run["rate"] is not None})


def best_rate(dev: Sequence[Run], arm: str) -> float:
    """Return the learning rate of an arm with the highest target accuracy."""
    return max(rates(dev, arm), key=lambda rate: mean(of_arm(dev, arm, rate), "target"))


def chosen_pair(dev: Sequence[Run]) -> tuple[float, float]:
    """Return the learning rates at which the arms of `PAIR` are compared, by runs that no figure is from.

    That of `sft` with the highest target accuracy, and that of `tpsft` which forgets least of those that reach `ENOUGH`
    of it; where none does, that with the highest target accuracy.
    """
    best = best_rate(dev, PAIR[0])
    least = ENOUGH * mean(of_arm(dev, PAIR[0], best), "target")
    tpsft = {rate: of_arm(dev, PAIR[1], rate) for rate in rates(dev, PAIR[1])}
    enough = [rate for rate, some in tpsft.items() if mean(some, "target") >= least]
    return best, min(enough, key=lambda rate: lost(tpsft[rate])) if enough else best_rate(dev, PAIR[1])


def compared(some: Sequence[Run], others: Sequence[Run]) -> tuple[float, float]:
    """Return what share of the target accuracy of others some runs have, and what share of their loss."""
    return mean(some, "target") / mean(others, "target"), lost(some) / lost(others)


def table(runs: Sequence[Run]) -> str:
    """Return a row for each arm at its chosen learning rate as Markdown: means over seeds, the targets of each."""
    head = ["arm", "target", "of each seed", "retention", "of each seed", "KL", "tokens", "seconds"]
    rows = [head]
    for arm in ARMS:
        if some := of_arm(runs, arm):
            rows.append([arm, *_figures(some)])
    return as_markdown(rows)


def curve(runs: Sequence[Run]) -> str:
    """Return a row for each learning rate of both arms of `PAIR` as Markdown: means over seeds."""
    head = ["learning rate", *(f"{arm}: {what}" for arm in PAIR for what in ("target", "retention", "KL"))]
    rows = [head]
    for rate in sorted(set(rates(runs, PAIR[0])) & set(rates(runs, PAIR[1]))):
        told = [(of_arm(runs, arm, rate), what) for arm in PAIR for what in ("target", "retention", "kl")]
        rows.append([f"{rate:g}", *(f"{mean(some, what):.3f}" for some, what in told)])
    return as_markdown(rows)


def verdict(runs: Sequence[Run], dev: Sequence[Run]) -> str:
    """Return in a line how the arms of `PAIR` compare at the learning rates that `dev` chooses."""
    sft, tpsft = chosen_pair(dev)
    target, loss = compared(of_arm(runs, PAIR[1], tpsft), of_arm(runs, PAIR[0], sft))
    return f"{PAIR[1]} at {tpsft:g} against {PAIR[0]} at {sft:g}: {target:.2f} of its target, {loss:.2f} of its loss"


def _figures(some: Sequence[Run]) -> list[str]:
    each = {what: ", ".join(f"{run[what]:.2f}" for run in some) for what in ("target", "retention")}
    shares = [f"{mean(some, 'target'):.3f}", each["target"], f"{mean(some, 'retention'):.3f}", each["retention"]]
    return [*shares, f"{mean(some, 'kl'):.3f}", f"{mean(some, 'tokens'):,.0f}", f"{mean(some, 'seconds'):.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--chosen", type=Path, help="runs on other seeds, by which learning rates are chosen")
    given = parser.parse_args()
    runs = json.loads(given.report.read_text())["runs"]
    print(table(runs))
    if given.chosen:
        print(f"\n{curve(runs)}\n\n{verdict(runs, json.loads(given.chosen.read_text())['runs'])}")


if __name__ == "__main__":
    main()
