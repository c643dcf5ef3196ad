"""The command that takes a run to OpenTelemetry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..schema import SCHEMA_VERSION
from .app import Json, RunPath, print_json
from .exporting import export


@export.command()
def spans(
    run_dir: RunPath,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="OTLP/JSON lines; RUN_DIR/spans.jsonl by default.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Send them to a collector instead, such as http://localhost:4318.")
    ] = None,
    content: Annotated[bool, typer.Option("--content", help="Tell questions, rationales and replies too.")] = False,
    as_json: Json = False,
) -> None:
    """Write a run as OpenTelemetry spans, or send it to a collector; needs tutelage[otel]."""
    from ..export.mark import run_mark
    from ..export.otlp import require_otel, send_spans, write_spans
    from ..export.spans import run_spans
    from ..rundir import RunDir

    if out is not None and endpoint is not None:
        raise InputError("--endpoint: spans are sent or written; leave -o out, or run the command twice")
    require_otel()
    rundir = RunDir.open(run_dir)
    run, trace = run_spans(rundir, content), run_mark(rundir)
    path = out or run_dir / "spans.jsonl"
    count = write_spans(path, run, trace) if endpoint is None else send_spans(endpoint, run, trace)
    where = str(path) if endpoint is None else endpoint
    if as_json:
        return print_json({"schema": SCHEMA_VERSION, "spans": count, "trace_id": trace, "to": where})
    typer.echo(f"{count} spans of trace {trace}: {where}")
