"""Commands that read what a run has left."""

from __future__ import annotations

from typing import Annotated

import typer

from .app import Json, RunPath, app, make_console, print_json


@app.command()
def show(run_dir: RunPath, as_json: Json = False) -> None:
    """Show the cycles of a run side by side."""
    from ..rundir import RunDir
    from ..traces import summarise

    rundir = RunDir.open(run_dir)
    summary = summarise(rundir)
    if as_json:
        print_json(summary)
        return
    from ..terminal.cycle import result_line
    from ..terminal.cycles import mastery_table, show_table, training_table
    from ..terminal.measures import print_measures

    console = make_console()
    reports = rundir.reports()
    console.print(show_table(summary, reports))
    if any(report.training for report in reports):
        console.print(training_table(reports))
    if any(cycle["mastery"] for cycle in summary["cycles"]):
        console.print(mastery_table(summary))
    print_measures(console, summary)
    console.print(result_line(summary))


@app.command()
def trace(
    run_dir: RunPath,
    problem: Annotated[
        str | None,
        typer.Option(help="The problem's id, or its beginning; if left out, of those taught the one asked most often."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one problem's life: attempts, diagnosis, recalls, drafts, checks, lesson, what followed."""
    from ..rundir import RunDir
    from ..traces import trace as read_trace

    found = read_trace(RunDir.open(run_dir), problem)
    if as_json:
        print_json(found)
        return
    from ..terminal.life import trace_lines

    make_console().print(trace_lines(found))
