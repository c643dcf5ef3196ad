"""Commands that take a run to other tools."""

from __future__ import annotations

import typer

from .app import app

export = typer.Typer(rich_markup_mode=None)
app.add_typer(export, name="export")


@export.callback(invoke_without_command=True)
def which(context: typer.Context) -> None:
    """Take a run to another tool."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
