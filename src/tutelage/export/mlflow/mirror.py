"""Write a run into an MLflow store, so that a second time adds only what is new."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...blacking import blacked, blacked_yaml
from ...errors import InputError, RunError, harmless
from ...lineage import best_student
from ...rundir import RunDir
from ...schema import BASE
from ...storeuri import checked_store
from ...traces import summarise
from ...traces.summary import WAITING
from ..mark import run_mark
from .figures import figures, parameters
from .lessons import lesson_traces
from .shelf import TraceShelf
from .store import experiment, open_store, refused, require_store
from .times import Times

_STATUS = {
    "finished": "FINISHED",
    "running": "RUNNING",
    "failed": "FAILED",
    "interrupted": "KILLED",
    WAITING: "SCHEDULED",
}
"""MLflow's word for how a run stands."""

_LONGEST_TAG = 5000


class Exported(NamedTuple):
    """What an export has done."""

    run: str
    run_id: str
    """MLflow's own name of the run."""
    store: str
    experiment: str
    cycles: int
    traces: int
    """Lessons that are traces in the store now."""
    left_out: int
    """Lessons that are not, since there were more than wanted."""


def export_mlflow(
    rundir: RunDir, store: str, experiment_name: str, traces: int = 50, checkpoint: bool = False
) -> Exported:
    """Write a run into an MLflow store, or what is new of a run that is there already.

    Args:
        rundir: The run, finished or not.
        store: The address of the store.
        experiment_name: The experiment; made if it is new.
        traces: Lessons of a cycle that become traces, at most.
        checkpoint: Whether the best checkpoint's files are written, too.

    Raises:
        InputError: If MLflow is not installed, or the store cannot be used.
        RunError: If the run's files are damaged, or MLflow fails in the middle.
    """
    try:
        uri = checked_store(store)
    except ValueError as error:
        raise InputError(f"MLflow store: {error}") from error
    require_store(uri)
    times = Times(rundir)  # first: a run that goes on may end a cycle in between
    summary = summarise(rundir)
    best = _best(rundir, summary) if checkpoint else None
    client = open_store(uri)
    place = experiment(client, uri, experiment_name)
    try:
        run_id = _find_or_make(client, place, rundir, summary, times)
        _write_parameters(client, run_id, rundir)
        _write_figures(client, run_id, summary, times)
        _write_files(client, run_id, rundir, best)
        shelf = TraceShelf(client, uri, place, run_id)
        taught = [lesson_traces(rundir, run_id, cycle, times, traces) for cycle in _over(summary, times)]
        written = sum(shelf.write(some) for some, _ in taught)
        _write_state(client, run_id, summary, times)
    except (InputError, RunError):
        raise
    except Exception as error:  # of MLflow, of its database, of the network behind it
        raise refused(error) from error
    return Exported(
        summary["run"], run_id, uri, experiment_name, len(summary["cycles"]), written, sum(over for _, over in taught)
    )


def _over(summary: Mapping[str, Any], times: Times) -> Iterator[int]:
    """Yield the cycles of which all is written."""
    yield from (row["cycle"] for row in summary["cycles"] if times.over(row["cycle"]))


def _find_or_make(client: Any, place: str, rundir: RunDir, summary: Mapping[str, Any], times: Times) -> str:
    """Return the id of MLflow's run for a run: the one that has its tag, or a new one."""
    own = run_mark(rundir)
    found = client.search_runs([place], filter_string=f"tags.`tutelage.id` = '{own}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = {"tutelage.id": own, "tutelage.run": _tag(summary["run"])}
    name = _tag(summary["run"])[:250]
    return str(client.create_run(place, start_time=round(times.first * 1000), tags=tags, run_name=name).info.run_id)


def _write_parameters(client: Any, run_id: str, rundir: RunDir) -> None:
    """Write the configuration; MLflow's parameters cannot change, so what a resume has changed is told in a tag."""
    from mlflow.entities import Param

    wanted = parameters(blacked(rundir.settings()))
    known = client.get_run(run_id).data.params
    new = [Param(key, value) for key, value in wanted.items() if key not in known]
    for some in _batches(new, 100):
        client.log_batch(run_id, params=some)
    changed = {key: value for key, value in wanted.items() if known.get(key, value) != value}
    if changed:
        client.set_tag(run_id, "tutelage.changed", _tag(json.dumps(changed, ensure_ascii=False)))


def _write_figures(client: Any, run_id: str, summary: Mapping[str, Any], times: Times) -> None:
    """Write the figures that are not there: MLflow would keep two values of one step."""
    from mlflow.entities import Metric

    known = {
        (key, metric.step) for key in client.get_run(run_id).data.metrics for metric in _history(client, run_id, key)
    }
    new = [
        Metric(one.key, one.value, round(times.end_of(one.cycle) * 1000), one.cycle)
        for one in figures(summary)
        if (one.key, one.cycle) not in known
    ]
    for some in _batches(new, 500):
        client.log_batch(run_id, metrics=some)


def _batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield as many as MLflow takes at once."""
    yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _history(client: Any, run_id: str, key: str) -> Sequence[Any]:
    found: Sequence[Any] = client.get_metric_history(run_id, key)
    return found


def _write_files(client: Any, run_id: str, rundir: RunDir, best: Path | None) -> None:
    """Write the run's own files; MLflow's server shows them to others, so the configuration is without secrets."""
    client.log_text(run_id, blacked_yaml(rundir.settings()), "config.yaml")
    if (rundir.path / "result.json").is_file():
        client.log_artifact(run_id, str(rundir.path / "result.json"))
    for kind in ("reports", "diagnoses", "plans"):
        for path in sorted((rundir.path / kind).glob("cycle-*.json")):
            client.log_artifact(run_id, str(path), artifact_path=kind)
    if best:
        client.log_artifacts(run_id, str(best), artifact_path=f"checkpoints/{best.name}")


def _best(rundir: RunDir, summary: Mapping[str, Any]) -> Path:
    """Return the folder of the best checkpoint, of a run that is not finished of the best so far.

    Raises:
        InputError: If there is none.
    """
    best = summary["student"]["best"] or best_student(rundir.reports())
    if best == BASE or not (rundir.path / best).is_dir():
        raise InputError(f"{rundir.path}: has no best checkpoint to export; leave --checkpoint out")
    return rundir.path / str(best)


def _write_state(client: Any, run_id: str, summary: Mapping[str, Any], times: Times) -> None:
    """Write how the run stands, last, so that a run that says it has finished is all there."""
    told = {
        "tutelage.status": summary["status"],
        "tutelage.stop_reason": summary["stop_reason"] or summary["failure"],
        "tutelage.best": summary["student"]["best"],
    }
    for key, value in told.items():
        client.set_tag(run_id, key, _tag(str(value or "")))
    status = _STATUS[summary["status"]]
    if status in ("RUNNING", "SCHEDULED"):
        client.update_run(run_id, status=status)
    else:
        client.set_terminated(run_id, status, round(times.last * 1000))


def _tag(text: str) -> str:
    return harmless(text)[:_LONGEST_TAG]
