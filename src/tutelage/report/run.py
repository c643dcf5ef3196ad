"""Write the page of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ..blacking import blacked_yaml
from ..lineage import cycle_of
from ..rundir import RunDir
from ..schema import Cost, CycleReport
from ..traces import summarise
from ..traces.find import every_problem
from ..traces.path import path_taken
from ..traces.problems import problem_rows
from ..traces.rows import CycleRows, cycles_of, read_cycle
from ..traces.spent import read_spending
from ..wording import TESTED
from .charts import Chart, bars, learning_curves, mastery_map
from .league import teacher_rows
from .lives import Lives, index
from .pack import pack
from .page import PLOTLY, write_page
from .spenders import spender_rows
from .training import loss_chart, stages

_SCRIPTS = ("life.js", "address.js", "problems.js", PLOTLY, "charts.js")


def write_report(rundir: RunDir, out: Path) -> None:
    """Write a run's page; it appears whole.

    Raises:
        RunError: If a file of the run is not as this version writes it.
    """
    reports = rundir.reports()
    cycles = [read_cycle(rundir, cycle) for cycle in cycles_of(rundir)]
    write_page(out, "run.html.jinja", _SCRIPTS, _told(rundir, reports, cycles))


def _told(rundir: RunDir, reports: Sequence[CycleReport], cycles: Sequence[CycleRows]) -> dict[str, Any]:
    """Return what the page tells, as plain values."""
    problems = every_problem(rundir)
    rows = problem_rows(problems, cycles)  # of the same moment: a run may go on while it is read
    right = {row.id: row.right for row in rows}
    parents = {report.cycle: cycle_of(report.parent) or 0 for report in reports if report.cycle}
    visits, spending = path_taken(rundir), read_spending(rundir)
    spent, summary = spending.by_agent(), summarise(rundir, spending)
    return {
        "summary": summary,
        "charts": [vars(chart) for chart in _charts(reports, cycles, summary, spending.by_cycle(reports))],
        "trained": stages(reports),
        "losses": [vars(chart) for chart in [loss_chart(rundir)] if chart.rows],
        "settings": blacked_yaml(rundir.settings()),
        "tested": TESTED,
        "league": [vars(row) for row in teacher_rows(cycles, right, parents, spent)],
        "spenders": [vars(row) for row in spender_rows(cycles, spent)],
        "purifiers": _purifiers(cycles),
        "path": [(cycle, [vars(visit) for visit in some]) for cycle, some in groupby(visits, lambda one: one.cycle)],
        "index": pack({"rows": index(rows), "parents": parents, "tested": TESTED}),
        "packs": list(Lives(rundir, cycles, reports, problems).packed()),
    }


def _charts(
    reports: Sequence[CycleReport], cycles: Sequence[CycleRows], summary: dict[str, Any], costs: dict[int, Cost]
) -> list[Chart]:
    numbers = [report.cycle for report in reports]
    taught = {rows.cycle: Counter(one.origin for some in rows.lessons.values() for one in some) for rows in cycles}
    rejected = {report.cycle: report.lessons.rejected for report in reports}
    tokens = {cycle: {"read": cost.tokens_in, "written": cost.tokens_out} for cycle, cost in costs.items()}
    seconds = {report.cycle: report.seconds for report in reports}
    dollars = {cycle: {"US dollars": cost.usd} for cycle, cost in costs.items()}
    found = [
        learning_curves(reports, summary["test"], summary["student"]["best_cycle"]),
        mastery_map([rows.diagnosis for rows in cycles if rows.diagnosis]),
        bars("lessons", "Where lessons came from", _by_kind(taught), numbers, "lessons"),
        bars("rejected", "Rationales turned away, by reason", _by_kind(rejected), numbers, "rationales"),
        bars("seconds", "Time by node", _by_kind(seconds), numbers, "seconds", digits=1),
        bars("tokens", "Tokens of paid model calls", _by_kind(tokens), list(costs), "tokens"),
        bars("dollars", "Cost of model calls", _by_kind(dollars), list(costs), "US dollars", digits=4),
    ]
    return [chart for chart in found if chart.rows]


def _by_kind(counts: dict[int, Any]) -> dict[str, dict[int, float]]:
    """Turn counts by cycle and kind into counts by kind and cycle, of the kinds that there was anything of."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for cycle, by_kind in counts.items():
        for kind, count in by_kind.items():
            found[kind][cycle] = count
    return {kind: by_cycle for kind, by_cycle in found.items() if any(by_cycle.values())}


def _purifiers(cycles: Iterable[CycleRows]) -> list[dict[str, Any]]:
    """Return what purifiers decided in each cycle."""
    found = []
    for rows in cycles:
        decisions = [one for some in rows.decisions.values() for one in some]
        for name in dict.fromkeys(one.purifier for one in decisions):
            some = [one for one in decisions if one.purifier == name]
            told = {
                "cycle": rows.cycle,
                "name": name,
                "problems": len(some),
                "several": sum(len(one.candidates) > 1 for one in some),
                "kept": sum(len(set(one.candidates) & set(one.chosen)) for one in some),
                "dropped": sum(len(set(one.candidates) - set(one.chosen)) for one in some),
                "own": sum(len(set(one.chosen) - set(one.candidates)) for one in some),
                "conflicts": Counter(one.conflict for one in some if one.conflict),
                "fallbacks": Counter(one.fallback for one in some if one.fallback),
            }
            found.append(told)
    return found
