"""The command line itself, and what all its commands share."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from ..errors import harmless

if TYPE_CHECKING:
    from rich.console import Console

ORDER = ("run", "resume", "show", "trace", "report", "compare", "review", "export", "exam", "doctor", "plugins")
"""The commands as `--help` lists them; one that is not among them comes last."""


class InOrder(TyperGroup):
    """Lists the commands in the order in which they are of use, whatever file they come from."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=InOrder,
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


UNBROKEN = 10_000
"""Columns of what is no terminal: a line in a file or a pipe is not broken."""

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


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


def make_console(stderr: bool = False) -> Console:
    """Return a console; in a file or a pipe its lines are not broken."""
    from rich.console import Console

    console = Console(stderr=stderr)
    if not console.is_terminal:
        console.width = UNBROKEN
    return console


def print_json(value: Any) -> None:
    """Print one JSON document; characters that a terminal obeys, or that no encoding has, are escaped."""
    utf8 = "utf" in (sys.stdout.encoding or "").casefold()  # another has not every character
    told = json.dumps(value, ensure_ascii=not utf8)
    typer.echo(re.sub(r"[\x7f-\x9f\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", told))


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong, and end with an exit code."""
    complain(message)
    sys.exit(code)


def complain(message: str) -> None:
    """Say on stderr, in one line, what is wrong; the message may quote a server or a data set."""
    typer.echo(f"tutelage: {harmless(' '.join(message.split()))}", err=True)
