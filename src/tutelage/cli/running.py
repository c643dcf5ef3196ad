"""Commands that make a run, go on with one, or look ahead of one."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ..config import RunConfig
from ..errors import BudgetSpent, InputError, RunError, harmless
from ..schema import SCHEMA_VERSION
from .app import INTERRUPTED, ConfigPath, Json, RunPath, Set, app, complain, fail, make_console, print_json


@app.command()
def run(
    config: ConfigPath,
    set_: Set = [],  # noqa: B006 - typer reads the default; nothing changes it
    run_dir: Annotated[Path | None, typer.Option(help="Where to write; runs/<name> by default.")] = None,
    as_json: Json = False,
) -> None:
    """Run the whole loop."""
    from ..api import arun
    from ..configfile import load_config
    from ..configplace import placing

    made = load_config(config, set_)
    path = run_dir or Path("runs") / made.name
    with placing(made, config, set_):
        _see_through(path, as_json, lambda listen: arun(made, run_dir=path, listen=listen))


@app.command()
def resume(
    run_dir: RunPath,
    set_: Annotated[
        list[str],
        typer.Option("--set", help="Change a field first: stop.*, concurrency, time limits, ... May be repeated."),
    ] = [],  # noqa: B006
    accept_rest: Annotated[
        bool, typer.Option("--accept-rest", help="Accept the lessons that wait for a review without one.")
    ] = False,
    author: Annotated[str | None, typer.Option(help="Who accepts them; by default that of git, or the login.")] = None,
    as_json: Json = False,
) -> None:
    """Go on with a run where it stopped."""
    from ..api import aresume
    from ..reviewer import Reviewer

    if author is not None and not accept_rest:
        raise InputError("--author: belongs to --accept-rest; give it too")
    who = Reviewer(author).author if accept_rest else None
    _see_through(run_dir, as_json, lambda listen: aresume(run_dir, listen=listen, overrides=set_, accept_rest=who))


@app.command()
def doctor(
    config: ConfigPath,
    set_: Set = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Find everything that would fail later, before a call is paid for."""
    from ..bill import as_document, as_lines
    from ..configfile import load_config
    from ..configplace import with_place
    from ..graphs.preflight import Check, examine_config

    made = load_config(config, set_)
    checks, bills = examine_config(made)
    if made.track.mlflow:
        checks.append(Check("track.mlflow", _untrackable(made)))
    failed = [check for check in checks if check.problem]
    if as_json:
        estimate = as_document(bills)
        told = [check._asdict() for check in checks]
        print_json({"schema": SCHEMA_VERSION, "ok": not failed, "checks": told, "estimate": estimate})
    else:
        for check in checks:
            typer.echo(f"{'FAIL' if check.problem else 'ok  '} {check.name}")
        for line in [] if failed and not bills else as_lines(bills, made.stop):
            typer.echo(harmless(line))
    if failed:
        for check in failed:
            complain(with_place(check.problem or "", made, config, set_))
        raise typer.Exit(2)


def _untrackable(config: RunConfig) -> str | None:
    """Return why a run cannot be tracked, if it cannot."""
    from ..tracking import require_tracking

    try:
        require_tracking(config)
    except InputError as error:
        return str(error)
    return None


def _see_through(path: Path, as_json: bool, begin: Any) -> None:
    """Run or resume with progress on stderr, then print the result."""
    from ..rundir import RunDir
    from ..terminal.cycle import result_line
    from ..terminal.progress import RunProgress
    from ..traces import summarise

    again = f"tutelage resume {shlex.quote(str(path))}"
    try:
        with RunProgress(make_console(stderr=True)) as progress:
            progress.rundir = RunDir(path)
            asyncio.run(begin(progress))
    except RunError as error:
        if RunDir(path).locked:  # by another process, which goes on with it
            raise
        log = f"; where: {path / 'error.log'}" if (path / "error.log").exists() else ""
        override = f" --set {error.override}" if isinstance(error, BudgetSpent) else ""
        raise RunError(f"{error}{log}; go on with `{again}{override}`") from error
    except KeyboardInterrupt:
        fail(f"interrupted; what is done is kept: go on with `{again}`", INTERRUPTED)
    summary = summarise(RunDir.open(path))
    if as_json:
        print_json(summary)
    else:
        make_console().print(result_line(summary), highlight=False)
        typer.echo(_next(path, summary))


def _next(path: Path, summary: dict[str, Any]) -> str:
    """Name the commands that come next."""
    quoted = shlex.quote(str(path))
    if summary["status"] == "waiting for review":
        return f"look at them: tutelage review {quoted}; then: tutelage resume {quoted}"
    return f"look closer: tutelage show {quoted}; tutelage trace {quoted}"
