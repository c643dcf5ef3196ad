"""Commands that take a run to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import RunPath, app

export = typer.Typer(rich_markup_mode=None)
app.add_typer(export, name="export")


@export.callback(invoke_without_command=True)
def which(context: typer.Context) -> None:
    """Take a run to another tool."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


Folder = Annotated[Path, typer.Option("-o", "--out", help="A folder that does not exist yet.", metavar="FOLDER")]


@export.command()
def dataset(
    run_dir: RunPath,
    out: Folder,
    cycle: Annotated[int | None, typer.Option(min=1, help="Only this cycle's lessons.")] = None,
    accepted: Annotated[
        bool | None,
        typer.Option("--accepted/--all", help="The lessons that made the best student (default), or all cycles'."),
    ] = None,
) -> None:
    """Write the lessons as a Hugging Face data set in chat format."""
    from ..errors import InputError
    from ..export.dataset import export_dataset
    from ..rundir import RunDir

    if cycle is not None and accepted is not None:
        raise InputError("--cycle: takes one cycle's lessons; leave --accepted and --all out")
    rows = export_dataset(RunDir.open(run_dir), out, cycle=cycle, everything=accepted is False)
    typer.echo(f"{out}: {', '.join(f'{n} {name}' for name, n in rows.items())}")


@export.command()
def student(
    run_dir: RunPath,
    out: Folder,
    cycle: Annotated[int | None, typer.Option(min=1, help="The student of this cycle rather than the best.")] = None,
) -> None:
    """Write the best student as an ordinary Hugging Face folder with a model card."""
    from ..export.student import export_student
    from ..rundir import RunDir

    report = export_student(RunDir.open(run_dir), out, cycle=cycle)
    typer.echo(f"{out}: the student of cycle {report.cycle} ({report.verdict.value.replace('_', ' ')})")


@export.command()
def inspect(run_dir: RunPath, out: Folder) -> None:
    """Write the exams as inspect_ai logs: one for each student and split, for `inspect view`."""
    from ..export.inspect_log import export_inspect
    from ..rundir import RunDir

    exams = export_inspect(RunDir.open(run_dir), out)
    typer.echo(f"{out}: {len(exams)} logs; open them with `inspect view --log-dir {out}`")
