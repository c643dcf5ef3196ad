"""Spans in OpenTelemetry's wire format: JSON lines as a collector's `otlpjsonfile` receiver reads them, or over HTTP.

Needs `tutelage[otel]`.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import InputError, encodable, harmless
from ..hashing import content_hash
from ..jsonl import write_atomic
from .folder import require_place
from .span import Span, Value

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

BATCH = 512
"""Spans in a line, or in a request."""
TRACES = "/v1/traces"
"""Where a collector takes spans over HTTP."""
SECONDS = 10.0
"""How long one request may take, its tries included."""

_IDS = {"traceId", "spanId", "parentSpanId"}
_EXPORTER = "opentelemetry.exporter.otlp"


def require_otel() -> None:
    """Find out whether OpenTelemetry's packages are there.

    Raises:
        InputError: With the remedy, if one is missing.
    """
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError as error:
        raise InputError(f"export spans: {error.name} is not installed; pip install 'tutelage[otel]'") from error


def write_spans(path: Path, run: Span, trace: str) -> int:
    """Write a run's spans as OTLP/JSON lines, all at once; return how many.

    Args:
        path: The file.
        run: The run with all inside of it.
        trace: The trace's name, 32 hexadecimal digits.

    Raises:
        InputError: If the path is a folder or lies in a file, or a package is missing.
    """
    require_otel()
    if path.is_dir():
        raise InputError(f"-o {path}: is a folder; name a file in it, such as {path / 'spans.jsonl'}")
    require_place(path)
    made = recorded(run, trace)
    write_atomic(path, "".join(_line(some) for some in _batches(made)))
    return len(made)


def send_spans(endpoint: str, run: Span, trace: str) -> int:
    """Send a run's spans to a collector by OTLP over HTTP; return how many.

    Headers, such as a key, come from `OTEL_EXPORTER_OTLP_HEADERS` as everywhere with OpenTelemetry.

    Args:
        endpoint: Its address, such as `http://localhost:4318`.
        run: The run with all inside of it.
        trace: The trace's name, 32 hexadecimal digits.

    Raises:
        InputError: If nobody takes them there, or a package is missing.
    """
    require_otel()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    url = _url(endpoint)
    made = recorded(run, trace)
    exporter, said = OTLPSpanExporter(endpoint=url, timeout=SECONDS), _Said()
    logger = logging.getLogger(_EXPORTER)
    logger.addHandler(said)
    logger.propagate = False  # why it failed is told once, by us
    try:
        for some in _batches(made):
            if exporter.export(some) is not SpanExportResult.SUCCESS:
                told = f"--endpoint {url}: did not take the spans ({said.last}); does a collector listen there for OTLP"
                raise InputError(f"{told} over HTTP?")
    finally:
        logger.removeHandler(said)
        logger.propagate = True
        exporter.shutdown()
    return len(made)


class _Said(logging.Handler):
    """Keeps why an export failed: the exporter tells nobody but its log."""

    last = "it did not say why"

    def emit(self, record: logging.LogRecord) -> None:
        self.last = harmless(" ".join(record.getMessage().split()))[:300]


def recorded(run: Span, trace: str) -> list[ReadableSpan]:
    """Return OpenTelemetry's own spans; exported again, they have the same names."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    made: list[ReadableSpan] = []

    class Ids(IdGenerator):
        span = 0

        def generate_trace_id(self) -> int:
            return int(trace, 16)

        def generate_span_id(self) -> int:
            return self.span

    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            made.append(span)

    about = {"service.name": "tutelage", "service.version": version("tutelage"), "service.instance.id": trace}
    ids = Ids()
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource.create(about),
        id_generator=ids,
        span_limits=SpanLimits(max_span_attributes=SpanLimits.UNSET, max_events=SpanLimits.UNSET),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(Keep())
    _record(provider.get_tracer("tutelage", version("tutelage")), ids, run, (trace,), None)
    if not made:
        raise InputError("export spans: OTEL_SDK_DISABLED turns OpenTelemetry off; unset it")
    return made


def _record(tracer: Any, ids: Any, span: Span, key: tuple[str, ...], around: Any) -> None:
    """Tell OpenTelemetry of a span and of those in it; its id comes from where it stands."""
    from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

    ids.span = int(content_hash(*key), 16)
    kind = SpanKind.CLIENT if span.remote else SpanKind.INTERNAL
    begun = tracer.start_span(
        encodable(span.name), around, kind, _plain(span.attributes), start_time=_nanos(span.start)
    )
    for moment in span.moments:
        begun.add_event(moment.name, _plain(moment.attributes), _nanos(moment.time))
    if span.failure is not None:
        begun.set_status(Status(StatusCode.ERROR, encodable(span.failure)))
    inside, seen = set_span_in_context(begun), dict[str, int]()
    for child in span.children:
        seen[child.name] = seen.get(child.name, 0) + 1
        _record(tracer, ids, child, (*key, child.name, str(seen[child.name])), inside)
    begun.end(_nanos(span.end))


def _nanos(seconds: float) -> int:
    return round(seconds * 1e9)


def _plain(attributes: dict[str, Value]) -> dict[str, Value]:
    return {name: encodable(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _batches(spans: Sequence[ReadableSpan]) -> Iterator[Sequence[ReadableSpan]]:
    return (spans[at : at + BATCH] for at in range(0, len(spans), BATCH))


def _line(spans: Sequence[ReadableSpan]) -> str:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    document = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
    return json.dumps(_hexadecimal(document), ensure_ascii=False, separators=(",", ":")) + "\n"


def _hexadecimal(value: Any) -> Any:
    """Return a document with its ids in hexadecimal, as OTLP's JSON has them; protobuf's would be in base64."""
    if isinstance(value, list):
        return [_hexadecimal(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: base64.b64decode(one).hex() if name in _IDS else _hexadecimal(one) for name, one in value.items()}


def _url(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a torn address in brackets, or a port that is none
        fits = False
    if not fits:
        raise InputError(f"--endpoint {endpoint!r}: is no address of a collector; write it like http://localhost:4318")
    bare = endpoint.rstrip("/")
    return bare if bare.endswith(TRACES) else bare + TRACES
