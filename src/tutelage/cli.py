"""The command line. Exit codes: 0 done, 1 a run failed and can be resumed, 2 the input is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import BudgetSpent, InputError, RunError, harmless, one_line
from .hardware import keep_memory

app = typer.Typer(
    name="tutelage",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Set = Annotated[list[str], typer.Option("--set", help="Override a field: a.b=value. May be repeated.")]
ConfigPath = Annotated[Path, typer.Argument(help="A YAML configuration.", metavar="CONFIG.yaml")]
RunPath = Annotated[Path, typer.Argument(help="A run directory.", metavar="RUN_DIR")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tutelage {version('tutelage')}")
        raise typer.Exit


@app.callback()
def top(
    version_: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Teach a small language model what it keeps getting wrong."""


@app.command()
def run(
    config: ConfigPath,
    set_: Set = [],  # noqa: B006 - typer reads the default; nothing changes it
    run_dir: Annotated[Path | None, typer.Option(help="Where to write; runs/<name> by default.")] = None,
    as_json: Json = False,
) -> None:
    """Run the whole loop."""
    from .api import arun
    from .configfile import load_config
    from .configplace import with_place

    made = load_config(config, set_)
    path = run_dir or Path("runs") / made.name
    try:
        _see_through(path, as_json, lambda listen: arun(made, run_dir=path, listen=listen))
    except InputError as error:
        raise InputError(with_place(str(error), made, config, set_)) from error


@app.command()
def resume(
    run_dir: RunPath,
    set_: Annotated[
        list[str],
        typer.Option("--set", help="Change a field first: stop.*, concurrency, time limits, ... May be repeated."),
    ] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Go on with a run where it stopped."""
    from .api import aresume

    _see_through(run_dir, as_json, lambda listen: aresume(run_dir, listen=listen, overrides=set_))


@app.command()
def show(run_dir: RunPath, as_json: Json = False) -> None:
    """Show the cycles of a run side by side."""
    from .rundir import RunDir
    from .traces import summarise

    rundir = RunDir.open(run_dir)
    summary = summarise(rundir)
    if as_json:
        _print_json(summary)
        return
    from .console import mastery_table, result_line, show_table
    from .figures import print_measures

    console = _console()
    console.print(show_table(summary, rundir.reports()))
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
    from .rundir import RunDir
    from .traces import trace as read_trace

    found = read_trace(RunDir.open(run_dir), problem)
    if as_json:
        _print_json(found)
        return
    from .console import trace_lines

    _console().print(trace_lines(found))


@app.command()
def exam(
    student: Annotated[str, typer.Option(help="A folder, a hub id, a name, or a run's checkpoint.")],
    task: Annotated[
        str,
        typer.Option(
            help="A task's name, module:attribute, or a YAML file with a `task`. A student of a run is graded on what "
            "was kept from it by the run's own config.yaml alone: another seed may cut the problems otherwise."
        ),
    ],
    n: Annotated[int, typer.Option(min=1, help="Problems asked.")] = 64,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the problems; the YAML's own, or 0.")] = None,
    set_: Annotated[
        list[str],
        typer.Option(
            "--set", help="Override a field of the YAML: a.b=value; with a name, an option: dataset=leg_counting."
        ),
    ] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Grade any model on any task."""
    from .figures import print_measures
    from .graphs.standalone import exam as grade

    result = grade(student, task, n=n, seed=seed, overrides=set_)
    if as_json:
        return _print_json(result)
    console = _console()
    console.print(f"accuracy {result['accuracy']:.3f} on {result['n']} problems", highlight=False)
    for skill, share in result["by_skill"].items():
        console.print(f"  {harmless(skill)}: {share:.2f}", highlight=False, markup=False)
    print_measures(console, result)


@app.command()
def doctor(
    config: ConfigPath,
    set_: Set = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Find everything that would fail later, before a call is paid for."""
    from .bill import as_document, as_lines
    from .configfile import load_config
    from .configplace import with_place
    from .graphs.preflight import examine_config

    made = load_config(config, set_)
    checks, bills = examine_config(made)
    failed = [check for check in checks if check.problem]
    if as_json:
        estimate = as_document(bills)
        _print_json(
            {"schema": 1, "ok": not failed, "checks": [check._asdict() for check in checks], "estimate": estimate}
        )
    else:
        for check in checks:
            typer.echo(f"{'FAIL' if check.problem else 'ok  '} {check.name}")
        for line in [] if failed and not bills else as_lines(bills, made.stop):
            typer.echo(harmless(line))
    if failed:
        for check in failed:
            _complain(with_place(check.problem or "", made, config, set_))
        raise typer.Exit(2)


@app.command()
def plugins(as_json: Json = False) -> None:
    """List every seam, the names that fill it and where each comes from."""
    from .plugins import installed

    rows = installed()
    if as_json:
        _print_json({"schema": 1, "plugins": [row._asdict() for row in rows]})
        return
    from rich.table import Table

    table = Table("seam", "name", "target", "package")
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def _see_through(path: Path, as_json: bool, begin: Any) -> None:
    """Run or resume with progress on stderr, then print the result."""
    from .console import RunProgress, result_line
    from .rundir import RunDir
    from .traces import summarise

    try:
        with RunProgress(_console(stderr=True)) as progress:
            progress.rundir = RunDir(path)
            asyncio.run(begin(progress))
    except RunError as error:
        if RunDir(path).locked:  # by another process, which goes on with it
            raise
        log = f"; where: {path / 'error.log'}" if (path / "error.log").exists() else ""
        override = f" --set {error.override}" if isinstance(error, BudgetSpent) else ""
        raise RunError(f"{error}{log}; go on with `tutelage resume {path}{override}`") from error
    except KeyboardInterrupt:
        _fail(f"interrupted; what is done is kept: go on with `tutelage resume {path}`", _INTERRUPTED)
    summary = summarise(RunDir.open(path))
    if as_json:
        _print_json(summary)
    else:
        _console().print(result_line(summary), highlight=False)
        typer.echo(f"look closer: tutelage show {path}; tutelage trace {path}")


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    console = Console(stderr=stderr)
    if not console.is_terminal:
        console.width = _UNBROKEN
    return console


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


_UNBROKEN = 10_000
"""Columns of what is no terminal: a line in a file or a pipe is not broken."""

_INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


def main() -> None:
    """Run the command line; what goes wrong is one line on stderr."""
    _quiet()
    keep_memory()
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except InputError as error:
        _fail(str(error), 2)
    except RunError as error:
        _fail(f"{error}", 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", _INTERRUPTED)
    except OSError as error:
        _fail(f"{error.filename or 'file'}: {error.strerror or error}", 1)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            _fail(error.format_message(), 2)
        if os.environ.get("TUTELAGE_DEBUG"):
            raise
        _fail(f"unexpected {one_line(error)}; set TUTELAGE_DEBUG=1 to see where, and please report it", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    _complain(message)
    sys.exit(code)


def _complain(message: str) -> None:
    """Say on stderr, in one line, what is wrong; the message may quote a server or a data set."""
    typer.echo(f"tutelage: {harmless(' '.join(message.split()))}", err=True)


def _quiet() -> None:
    """Keep other libraries' chatter off the terminal; what the user set stays."""
    for name, value in {
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ANONYMIZED_TELEMETRY": "False",
        "PYTHONWARNINGS": "ignore",
    }.items():
        os.environ.setdefault(name, value)
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
