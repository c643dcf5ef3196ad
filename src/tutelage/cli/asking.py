"""Commands that ask what is there: a student, or the plug-ins."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import harmless
from ..schema import SCHEMA_VERSION
from .app import Json, app, make_console, print_json


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
    from ..graphs.standalone import exam as grade
    from ..terminal.measures import print_measures

    result = grade(student, task, n=n, seed=seed, overrides=set_)
    if as_json:
        return print_json(result)
    console = make_console()
    console.print(f"accuracy {result['accuracy']:.3f} on {result['n']} problems", highlight=False)
    for skill, share in result["by_skill"].items():
        console.print(f"  {harmless(skill)}: {share:.2f}", highlight=False, markup=False)
    print_measures(console, result)


@app.command()
def plugins(as_json: Json = False) -> None:
    """List every seam, the names that fill it and where each comes from."""
    from ..plugins import installed

    rows = installed()
    if as_json:
        print_json({"schema": SCHEMA_VERSION, "plugins": [row._asdict() for row in rows]})
        return
    from rich.table import Table

    table = Table("seam", "name", "target", "package")
    for row in rows:
        table.add_row(*row)
    make_console().print(table)
