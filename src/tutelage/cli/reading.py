"""Commands that read what a run has left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .app import Json, RunPath, app, make_console, print_json

if TYPE_CHECKING:
    from ..rundir import RunDir
    from ..traces import Page, Wanted


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
        typer.Option(
            help="The problem's id, or its beginning; if left out, a taught one that tells most: wrong, then right."
        ),
    ] = None,
    weakness: Annotated[
        str | None,
        typer.Option(help="List the problems of a weakness: those that need it, show it, or were taught for it."),
    ] = None,
    teacher: Annotated[str | None, typer.Option(help="List the problems that a teacher wrote for.")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="List those with a rationale that was `verified`, `rejected`, or why it was.")
    ] = None,
    changed: Annotated[
        str | None,
        typer.Option(help="List what a cycle changed (2), or what changed between two (0:2); what fell comes first."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="List the problems of a split.")] = None,
    text: Annotated[str | None, typer.Option(help="List those with this in the question or the answer.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page of the list.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="Problems on a page.")] = 25,
    as_json: Json = False,
) -> None:
    """Show one problem's life, or list problems: by weakness, teacher, verdict, or by what a cycle changed."""
    from ..rundir import RunDir
    from ..traces import Page, Wanted
    from ..traces import trace as read_trace

    wanted = Wanted(weakness, teacher, verdict, changed, split, text)
    rundir = RunDir.open(run_dir)
    if wanted.anything:
        if problem is not None:
            raise InputError("--problem shows one problem, and other options list several: give the one or the others")
        _list(rundir, wanted, Page(page, limit), as_json)
        return
    if page != 1:
        raise InputError("--page: is of a list; give a filter too, such as --split gate")
    found = read_trace(rundir, problem)
    if as_json:
        print_json(found)
        return
    from ..terminal.life import trace_lines

    make_console().print(trace_lines(found))


def _list(rundir: RunDir, wanted: Wanted, page: Page, as_json: bool) -> None:
    """List the problems that are wanted, a page of them."""
    from ..traces import choose, listing

    found = listing(rundir, wanted, choose(rundir, wanted), page)
    if as_json:
        print_json(found)
        return
    from ..terminal.problems import problem_table

    make_console().print(problem_table(found))


@app.command()
def report(
    run_dir: RunPath,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page to write.")] = Path("report.html"),
) -> None:
    """Write one self-contained page about a run: charts, teachers, and every problem's life."""
    from ..report import write_report
    from ..rundir import RunDir

    _require_file(out, "report.html")
    rundir = RunDir.open(run_dir)
    write_report(rundir, out)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in a browser")


@app.command()
def compare(
    run_dirs: Annotated[list[Path], typer.Argument(help="Two or more run directories.", metavar="RUN_DIR...")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write a page instead, such as compare.html.")] = None,
    as_json: Json = False,
) -> None:
    """Put runs side by side: what was set otherwise, what each reached, and whether that is more than chance."""
    from ..traces.compare import compare as compare_runs

    if out is not None:
        if as_json:
            raise InputError("--json: prints a document, and --out writes a page; give one of them")
        _require_file(out, "compare.html")
    found = compare_runs(run_dirs)
    if out is not None:
        from ..report import write_comparison

        write_comparison(found, out)
        typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in a browser")
    elif as_json:
        print_json(found)
    else:
        from ..terminal.compare import comparison

        make_console().print(comparison(found))


def _require_file(out: Path, such_as: str) -> None:
    from ..report.page import require_replaceable

    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; name a file, such as {out / such_as}")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir():
        raise InputError(f"--out {out}: {above} is a file, so nothing can be written below it; name another place")
    require_replaceable(out)
