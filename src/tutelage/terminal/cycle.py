"""One cycle, and how a run ended."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..schema import Agreement, CycleReport, Split, TrainingReport, Weakness
from ..wording import moved, seconds
from .text import VERDICT_STYLE, percent, plain


def cycle_lines(report: CycleReport) -> Group:
    """Return what a person reads after a cycle."""
    head = Text.assemble(
        (f"cycle {report.cycle}  ", "bold"),
        (report.verdict.value, VERDICT_STYLE[report.verdict]),
        plain(f"  {report.why}"),
    )
    rows = [("accuracy", _accuracy(report))]
    if report.weaknesses:
        named = [f"{w.name}: {percent(w.pass_rate)} (n={w.support}{_tested(w)})" for w in report.weaknesses[:5]]
        rows.append(("weaknesses", "; ".join(named) + "; pass rates before this cycle's training"))
    if report.cycle:
        rows.append(("lessons", _lessons(report)))
    for stage in report.training:
        rows.append(("training", _trained(stage)))
    if report.agreement:
        rows.append(("taught", _agreement(report.agreement)))
    cost = report.cost
    rows.append(("cost", f"{cost.calls} calls ({cost.cached_calls} cached), {cost.usd:.4f} USD"))
    spent = [f"{node} {seconds(took)}" for node, took in report.seconds.items() if took >= 0.5]
    rows.append(("time", ", ".join(spent) or "under a second"))
    return Group(head, *(_row(name, value) for name, value in rows))


def _trained(stage: TrainingReport) -> str:
    """Say what a stage did, how its figures moved, and what is to be noted; of one that took no step, only why."""
    if stage.note is not None and not stage.steps:
        return f"{stage.stage}: {stage.note}"
    told = f"{stage.stage}: {stage.steps} steps, {stage.tokens} tokens, loss {stage.loss:.3f}"
    parts = [f"{told}, {seconds(stage.seconds)}", moved(stage.metrics), stage.note]
    return "; ".join(part for part in parts if part)


def _agreement(found: Agreement) -> str:
    """Say how often the student answers like its teachers, and rightly."""
    told = (
        f"as the teachers answer {percent(found.with_teachers)}, as is right {percent(found.with_gold)} (n={found.n})"
    )
    return f"{told}; {found.alarm}" if found.alarm else told


def _tested(weakness: Weakness) -> str:
    """Say what a test on fresh problems showed."""
    test = weakness.confirmation
    if test is None:
        return "; not tested"
    told = "confirmed" if test.confirmed else "not confirmed"
    return f"; {told} on fresh problems, {test.passed:.0f} of {test.asked} right"


def _row(name: str, value: str) -> Table:
    """Return one line under a cycle; each is a grid of its own, or all would be padded to the longest."""
    row = Table.grid(padding=(0, 1))
    row.add_column(style="dim", width=12, justify="right")
    row.add_column()
    row.add_row(name, plain(value))
    return row


def _accuracy(report: CycleReport) -> str:
    splits = [s for s in Split if s in report.accuracy and s is not Split.TEST]
    return ", ".join(f"{split} {percent(report.accuracy[split])} (n={report.n[split]})" for split in splits) or "-"


def _lessons(report: CycleReport) -> str:
    counts = report.lessons
    told = f"{counts.taught} ({counts.from_teachers} from teachers, {counts.from_student} the student's own)"
    if counts.replayed:
        told += f" and {counts.replayed} replayed"
    if counts.rejected:
        told += "; rejected: " + ", ".join(f"{reason} {n}" for reason, n in counts.rejected.items())
    if counts.by_hand:
        told += "; reviewed: " + ", ".join(f"{what} {n}" for what, n in counts.by_hand.items())
    if counts.critiques:
        told += "; critic: " + ", ".join(f"{what} {n}" for what, n in counts.critiques.items())
    return told


_NEXT = {"running": "", "waiting for review": "; `tutelage review` shows them, then `tutelage resume` goes on"}
"""What is to be done with a run, by its status."""


def _reviewed(summary: dict[str, Any]) -> str | None:
    """Say how the review stands that a run waits for."""
    waits = summary.get("review")
    if not waits:
        return None
    return f"{waits['left']} of {waits['lessons']} lessons of cycle {waits['cycle']} are not reviewed"


def _unreported(summary: dict[str, Any]) -> str:
    """Say what the run has cost, where its cycles' reports do not: the last one has none, or the ledger is damaged."""
    cost = summary["cost"]
    if cost["calls"] == sum(cycle["cost"]["calls"] for cycle in summary["cycles"]) and not cost["note"]:
        return ""
    told = f"{cost['calls']} calls, {cost['tokens_in'] + cost['tokens_out']:,} tokens, {cost['usd']:.4f} USD"
    return f"; paid for so far: {told}" + (f" or more, since {cost['note']}" if cost["note"] else "")


def result_line(summary: dict[str, Any]) -> Text:
    """Return the last line of a run."""
    test, student = summary["test"], summary["student"]
    if test["best"] is None:
        told = summary["failure"] or summary["stop_reason"] or _reviewed(summary)
        why = f": {told}" if told else ""
        hint = _NEXT.get(summary["status"], "; `tutelage resume` goes on with it")
        return plain(f"{summary['run']}: {summary['status']}{why}{_unreported(summary)}{hint}")
    return Text.assemble(
        ("test ", "bold"),
        f"{test['base']:.3f} -> ",
        (f"{test['best']:.3f}", "bold green" if test["best"] > test["base"] else "bold yellow"),
        plain(f" on {test['n']} problems; best is cycle {student['best_cycle']}; {summary['stop_reason']}"),
        plain(_unreported(summary)),
    )
