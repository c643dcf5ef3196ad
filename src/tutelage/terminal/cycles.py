"""The cycles of a run side by side: the exams, what is believed of the student, and the training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from ..schema import CycleReport, Split, Verdict, Weakness
from ..wording import TESTED, loss, outcome, seconds
from .text import VERDICT_STYLE, percent, plain

_SKILLS = 20
"""Skills whose mastery is shown."""


def show_table(summary: dict[str, Any], reports: Iterable[CycleReport]) -> Table:
    """Return the cycles side by side."""
    table = Table(title=plain(f"{summary['run']} ({summary['status']})"), title_justify="left", padding=(0, 0, 0, 1))
    for name in ("cycle", "verdict", "probe", "gate", "retention", "lessons", "USD", "time"):
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    table.add_column("weaknesses, with pass rates before that training")
    reports = list(reports)
    alarms = [f"cycle {r.cycle}: {r.agreement.alarm}" for r in reports if r.agreement and r.agreement.alarm]
    undone = [f"cycle {r.cycle} rolled back: {r.why}" for r in reports if r.verdict is Verdict.ROLLED_BACK]
    notes = [*undone, *alarms]
    table.caption, table.caption_justify = plain("\n".join(notes)) if notes else None, "left"
    for report in reports:
        weak = "; ".join(map(_weakness, report.weaknesses[:3]))
        table.add_row(
            str(report.cycle),
            Text(report.verdict.value, style=VERDICT_STYLE[report.verdict]),
            *(percent(report.accuracy.get(split)) for split in (Split.PROBE, Split.GATE, Split.RETENTION)),
            str(report.lessons.taught) if report.cycle else "-",
            f"{report.cost.usd:.4f}",
            seconds(sum(report.seconds.values())),
            plain(weak, 200),
        )
    return table


def _weakness(weakness: Weakness) -> str:
    """Name a weakness with its pass rate and the verdict on it."""
    return f"{weakness.name} {percent(weakness.pass_rate)} ({TESTED[weakness.confirmed]})"


def mastery_table(summary: dict[str, Any]) -> Table:
    """Return what is believed of each skill in each cycle, the weakest at the end first."""
    cycles = [cycle for cycle in summary["cycles"] if cycle["mastery"]]
    by_cycle = [{one["skill"]: one for one in cycle["mastery"]} for cycle in cycles]
    skills = {skill: found["mean"] for by_skill in by_cycle for skill, found in by_skill.items()}
    ranked = sorted(skills, key=lambda skill: (skills[skill], skill))
    hidden = len(ranked) - _SKILLS
    title = "mastery in percent, with 90 % intervals, before each training"
    caption = f"and {hidden} more skills; `tutelage show --json` has them" if hidden > 0 else None
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", padding=(0, 0, 0, 1))
    table.add_column("skill")
    for cycle in cycles:
        table.add_column(f"cycle {cycle['cycle']}", justify="right", no_wrap=True)
    for skill in ranked[:_SKILLS]:
        table.add_row(plain(skill, 60), *(_interval(by_skill.get(skill)) for by_skill in by_cycle))
    return table


def _interval(found: dict[str, Any] | None) -> str:
    """Write a credible interval as `62 (48-75)`."""
    return "-" if found is None else f"{100 * found['mean']:.0f} ({100 * found['low']:.0f}-{100 * found['high']:.0f})"


def training_table(reports: Iterable[CycleReport]) -> Table:
    """Return what each training stage did, or why it did nothing."""
    table = Table(title="training", title_justify="left", padding=(0, 0, 0, 1))
    for name in ("cycle", "stage", "steps", "tokens", "time", "loss"):
        table.add_column(name, justify="left" if name == "stage" else "right", no_wrap=True)
    table.add_column("what moved")
    for report in reports:
        for stage in report.training:
            figures = (str(stage.steps), f"{stage.tokens:,}", seconds(stage.seconds), loss(stage))
            table.add_row(str(report.cycle), plain(stage.stage, 60), *figures, plain(outcome(stage)))
    return table
