"""`tutelage export mlflow`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import harmless
from ..storeuri import DEFAULT_EXPERIMENT, DEFAULT_STORE, DEFAULT_TRACES
from .app import RunPath
from .exporting import export


@export.command()
def mlflow(
    run_dir: RunPath,
    store: Annotated[str, typer.Option(help="MLflow's store: sqlite:///FILE, or a server's address.")] = DEFAULT_STORE,
    experiment: Annotated[str, typer.Option(help="MLflow's experiment.")] = DEFAULT_EXPERIMENT,
    traces: Annotated[
        int, typer.Option(min=0, help="Lessons of a cycle that become traces, at most.")
    ] = DEFAULT_TRACES,
    checkpoint: Annotated[bool, typer.Option(help="Write the best checkpoint's files, too.")] = False,
) -> None:
    """Write a run into an MLflow store, or what is new of it."""
    from ..export.mlflow import export_mlflow, how_to_look
    from ..rundir import RunDir

    done = export_mlflow(RunDir.open(run_dir), store, experiment, traces, checkpoint)
    left_out = f" ({done.left_out} more lessons left out; --traces takes more)" if done.left_out else ""
    told = f"{done.run}: {done.cycles} cycle{'s' * (done.cycles != 1)} and {done.traces} traces{left_out}"
    typer.echo(harmless(f"{told} are run {done.run_id} of experiment {done.experiment}"))
    typer.echo(harmless(f"look at it: {how_to_look(done.store)}"))
