"""The traces of one run in an MLflow store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from .lessons import LessonTrace


class TraceShelf:
    """Where a run's traces stand; each is written once.

    Not by MLflow's functions that trace what is running: those go by settings of the whole process, and would give a
    trace another id at each export.
    """

    def __init__(self, client: Any, uri: str, experiment: str, run_id: str) -> None:
        """Point at a run in an experiment of a store."""
        self._client, self._uri, self._experiment, self._run = client, uri, experiment, run_id

    def write(self, traces: Iterable[LessonTrace]) -> int:
        """Write those that are not there, and return how many are there now."""
        count = 0
        for trace in traces:
            count += 1
            if trace.id not in self._known:
                self._write(trace)
        return count

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._ids())

    def _ids(self) -> Iterator[str]:
        token = None
        while True:
            page = self._client.search_traces(
                locations=[self._experiment],
                run_id=self._run,
                include_spans=False,
                max_results=500,
                page_token=token,
            )
            yield from (trace.info.trace_id for trace in page)
            token = page.token
            if not token:
                return

    def _write(self, trace: LessonTrace) -> None:
        """Write a trace, its spans first: what a crash leaves is no trace of the run yet, and is written over."""
        from mlflow.entities import Span, TraceInfo, TraceLocation, TraceState
        from mlflow.tracing.client import TracingClient

        store = TracingClient(self._uri)
        store.log_spans(self._experiment, [Span.from_dict(span) for span in trace.spans])
        store.start_trace(
            TraceInfo(
                trace_id=trace.id,
                trace_location=TraceLocation.from_experiment_id(self._experiment),
                request_time=trace.began // 1_000_000,
                execution_duration=(trace.ended - trace.began) // 1_000_000,
                state=TraceState.OK,
                request_preview=trace.request,
                response_preview=trace.response,
                trace_metadata={"mlflow.sourceRun": self._run},
                tags={"mlflow.traceName": "lesson", **trace.tags},
            )
        )
