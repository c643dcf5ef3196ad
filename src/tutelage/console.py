"""What a person sees in the terminal. Texts of models are shown as text: no markup, no control characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .errors import harmless
from .rundir import RunDir
from .schema import Agreement, CycleReport, Split, TrainingReport, Verdict, Weakness

_SHOWN = 2000
"""Characters of one text that are shown; the files hold the whole of it."""

_SKILLS = 20
"""Skills whose mastery is shown."""

_INDENT = " " * 19
"""Of what belongs to the event above it."""

_TESTED = {True: "confirmed", False: "not confirmed", None: "not tested"}
"""What a test on fresh problems said of a weakness."""
_VERDICT_STYLE = {Verdict.BASELINE: "cyan", Verdict.ACCEPTED: "green", Verdict.ROLLED_BACK: "yellow"}


def plain(text: str, limit: int = _SHOWN) -> Text:
    """Return untrusted text, harmless to a terminal and cut to a length a person reads."""
    cut = text if len(text) <= limit else f"{text[:limit]} ... ({len(text) - limit} more characters)"
    return Text(harmless(cut))


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100 * value:.0f} %"


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.1f} min"


class RunProgress:
    """Listens to the graph's stream: progress bars while it works, a block of lines after each cycle."""

    def __init__(self, console: Console) -> None:
        """Draw on a console; bars only where it is a terminal."""
        self.console = console
        self.rundir: RunDir | None = None
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> RunProgress:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        self._bars.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Show one event."""
        kind = event.get("kind")
        if kind == "started":
            self._clear()
            self._tasks[event["node"]] = self._bars.add_task(f"cycle {event['cycle']}: {event['node']}", total=None)
        elif kind == "progress":
            self._advance(event)
        elif kind == "training":
            name = f"{event['stage']} on {event['lessons']} lessons"
            self._tasks[name] = self._bars.add_task(f"  {name}", total=None)
        elif kind == "finished":
            self._clear()
            self._report(event)
        elif kind in ("benched", "note", "alarm"):
            self.console.print(plain(event["text"]))
        elif kind == "resumed":
            self.console.print(f"resumed at cycle {event['cycle']}, {event['node']}", highlight=False)

    def _advance(self, event: dict[str, Any]) -> None:
        node, total = event["node"], event["total"]
        if not total:
            return
        if node not in self._tasks:
            self._tasks[node] = self._bars.add_task(f"  {node}", total=total)
        moved = {"advance": event["advance"]} if "advance" in event else {"completed": event["done"]}
        self._bars.update(self._tasks[node], **moved)

    def _report(self, event: dict[str, Any]) -> None:
        if self.rundir and event["node"] in ("baseline", "evaluate"):
            report = next(r for r in self.rundir.reports() if r.cycle == event["cycle"])
            self.console.print(cycle_lines(report), highlight=False)

    def _clear(self) -> None:
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()


def cycle_lines(report: CycleReport) -> Group:
    """Return what a person reads after a cycle."""
    head = Text.assemble(
        (f"cycle {report.cycle}  ", "bold"), (report.verdict.value, _VERDICT_STYLE[report.verdict]), f"  {report.why}"
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
    """Say what a stage did, or why it did nothing."""
    if stage.note is not None:
        return f"{stage.stage}: {stage.note}"
    told = f"{stage.stage}: {stage.steps} steps, {stage.tokens} tokens, loss {stage.loss:.3f}"
    return f"{told}, {seconds(stage.seconds)}"


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
    return f"; {'' if test.confirmed else 'not '}confirmed, {test.passed:.0f} of {test.asked} fresh problems passed"


def _weakness(weakness: Weakness) -> str:
    """Name a weakness with its pass rate and the verdict on it."""
    return f"{weakness.name} {percent(weakness.pass_rate)} ({_TESTED[weakness.confirmed]})"


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
    if counts.critiques:
        told += "; critic: " + ", ".join(f"{what} {n}" for what, n in counts.critiques.items())
    return told


def result_line(summary: dict[str, Any]) -> Text:
    """Return the last line of a run."""
    test, student = summary["test"], summary["student"]
    if test["best"] is None:
        told = summary["failure"] or summary["stop_reason"]
        why = f": {told}" if told else ""
        hint = "" if summary["status"] == "running" else "; `tutelage resume` goes on with it"
        return plain(f"{summary['run']}: {summary['status']}{why}{hint}")
    return Text.assemble(
        ("test ", "bold"),
        f"{test['base']:.3f} -> ",
        (f"{test['best']:.3f}", "bold green" if test["best"] > test["base"] else "bold yellow"),
        f" on {test['n']} problems; best is cycle {student['best_cycle']}; {summary['stop_reason']}",
    )


def show_table(summary: dict[str, Any], reports: Iterable[CycleReport]) -> Table:
    """Return the cycles side by side."""
    table = Table(title=f"{summary['run']} ({summary['status']})", title_justify="left", padding=(0, 0, 0, 1))
    for name in ("cycle", "verdict", "probe", "gate", "retention", "lessons", "USD", "time"):
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    table.add_column("weaknesses, with pass rates before that training")
    reports = list(reports)
    alarms = [f"cycle {r.cycle}: {r.agreement.alarm}" for r in reports if r.agreement and r.agreement.alarm]
    table.caption, table.caption_justify = plain("\n".join(alarms)) if alarms else None, "left"
    for report in reports:
        weak = "; ".join(map(_weakness, report.weaknesses[:3]))
        table.add_row(
            str(report.cycle),
            Text(report.verdict.value, style=_VERDICT_STYLE[report.verdict]),
            *(percent(report.accuracy.get(split)) for split in (Split.PROBE, Split.GATE, Split.RETENTION)),
            str(report.lessons.taught) if report.cycle else "-",
            f"{report.cost.usd:.2f}",
            seconds(sum(report.seconds.values())),
            plain(weak, 200),
        )
    return table


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


def trace_lines(found: dict[str, Any]) -> Group:
    """Return one problem's life."""
    problem = found["problem"]
    head = [
        Text.assemble(("problem ", "bold"), problem["id"]),
        Text.assemble(("question ", "dim"), plain(problem["question"])),
        Text.assemble(("answer ", "dim"), plain(problem["answer"])),
    ]
    return Group(*head, *(_event(event) for event in found["events"]))


def _event(event: dict[str, Any]) -> Text:
    line = Text.assemble((f"[{event['cycle']}] ", "dim"), (f"{event['kind']:<12}", "bold"), " ")
    line.append(plain(event["agent"], 60)).append("  ")
    if event["kind"] == "attempt":
        line.append("right  " if event["correct"] else "wrong  ", style="green" if event["correct"] else "red")
    if event["kind"] == "diagnosis" and "skill" in event:
        line.append(plain(f"a problem of the kind {event['skill']!r}: ", 200))
    elif event["kind"] == "diagnosis":
        rate = f"{percent(event['pass_rate'])} right (n={event['support']}), {_TESTED[event['confirmed']]}"
        line.append(plain(f"{event['weakness']}, {rate}: ", 200))
    line.append(_under(plain(event["text"])))
    wrong = event.get("wrong_step")
    if wrong:
        skill = f" ({wrong['skill']})" if wrong.get("skill") else ""
        line.append_text(_note(f"first wrong step: {wrong['found']!r}, expected {wrong['expected']!r}{skill}", "red"))
    if event["kind"] == "recall":
        fixed = {True: "fixed", False: "not fixed", None: "not examined since"}[event["fixed"]]
        taught = f"what was taught then: {event['taught']!r} ({fixed})" if event["taught"] else "not taught since"
        line.append_text(_note(f"of {event['question']!r}; {taught}"))
    if event.get("scores"):
        line.append_text(_note(", ".join(f"{name} {value:.2f}" for name, value in event["scores"].items())))
    return line


def _note(text: str, style: str = "") -> Text:
    """Return a line under an event."""
    shown = _under(plain(text))
    shown.stylize(style)
    return Text(f"\n{_INDENT}").append_text(shown)


def _under(text: Text) -> Text:
    """Indent the lines of a text after the first."""
    return Text(f"\n{_INDENT}").join(text.split("\n"))
