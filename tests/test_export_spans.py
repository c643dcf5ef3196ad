"""`tutelage export spans`: read back by OpenTelemetry's own types, whole, and as dear as the run."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, server_attributes

import tutelage
from tutelage import jsonl
from tutelage.errors import RunError
from tutelage.export import conventions as names
from tutelage.ledger import CallLedger
from tutelage.rundir import RunDir
from tutelage.testing import FakePurifier, asking_config, fake_config, reply_to_all
from tutelage.testing.chat_server import ChatServer

Cli = Callable[..., tuple[int, str, str]]
IDS = ("traceId", "spanId", "parentSpanId")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tutelage.Result:
    """Two cycles in which everybody asks a chat model, and something is answered from the ledger."""
    with ChatServer(reply_to_all, latency=0.01) as server:
        return tutelage.run(asking_config(server.base_url), run_dir=tmp_path_factory.mktemp("spans") / "asked")


def read_back(path: Path) -> list[Span]:
    """Parse each line as a collector does; an unknown field would raise."""
    found: list[Span] = []
    for line in path.read_text().splitlines():
        document = json.loads(line, object_hook=in_base64)
        data = ParseDict(document, TracesData())
        found += [span for one in data.resource_spans for scope in one.scope_spans for span in scope.spans]
    return found


def in_base64(value: dict[str, Any]) -> dict[str, Any]:
    """Write ids as protobuf's own JSON has them; OTLP's has them in hexadecimal."""
    return {name: base64.b64encode(bytes.fromhex(one)).decode() if name in IDS else one for name, one in value.items()}


def told(one: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in one.attributes}


def of(spans: list[Span], operation: str) -> list[Span]:
    return [span for span in spans if told(span).get(names.GEN_AI_OPERATION_NAME) == operation]


@pytest.fixture
def spans(result: tutelage.Result, tmp_path: Path, tutelage_cli: Cli) -> list[Span]:
    code, out, err = tutelage_cli("export", "spans", result.path, "-o", tmp_path / "spans.jsonl")
    assert (code, err) == (0, "")
    found = read_back(tmp_path / "spans.jsonl")
    assert out.startswith(f"{len(found)} spans of trace ")
    return found


def test_every_span_lies_within_its_parent_and_all_lead_to_the_run(spans: list[Span]) -> None:
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans) > 100 and len({span.trace_id for span in spans}) == 1
    roots = [span for span in spans if not span.parent_span_id]
    assert [(span.name, told(span)[names.GEN_AI_OPERATION_NAME]) for span in roots] == [("asked", "invoke_workflow")]
    for span in spans:
        assert len(span.span_id) == 8 and 0 < span.start_time_unix_nano <= span.end_time_unix_nano
        if span.parent_span_id:
            parent = by_id[span.parent_span_id]
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def line_of(span: Span, spans: list[Span]) -> list[str]:
    by_id, found = {one.span_id: one for one in spans}, [span.name]
    while span.parent_span_id:
        span = by_id[span.parent_span_id]
        found.insert(0, span.name)
    return found


def test_a_call_is_in_its_agent_its_problem_its_node_its_cycle(spans: list[Span], result: tutelage.Result) -> None:
    problems = {lesson.problem_id for lesson in result.lessons(1)}
    lines = [line_of(span, spans) for span in of(spans, "chat") if told(span)[names.CYCLE] == 1]
    taught = [line for line in lines if line[-2] == "invoke_agent tutor"]
    assert len(taught) == 2 * 16
    assert {line[3] for line in taught} == {f"teach {one}" for one in problems}
    assert {tuple(line[:3]) for line in taught} == {("asked", "cycle 1", "teach")}
    others = {(line[2], line[-2]) for line in lines if line not in taught}
    expected = {("teach", "critic"), ("purify", "aggregate"), ("diagnose", "diagnostician")}
    assert others == {(node, f"invoke_agent {agent}") for node, agent in expected}


def test_the_tokens_and_dollars_of_all_calls_are_the_run_s(spans: list[Span], result: tutelage.Result) -> None:
    calls = [told(span) for span in of(spans, "chat")]
    with CallLedger(result.path / "calls.sqlite") as ledger:
        total = ledger.cost()
    assert total.calls == len(calls) > 60
    assert sum(one[names.GEN_AI_USAGE_INPUT_TOKENS] for one in calls) == total.tokens_in
    assert sum(one[names.GEN_AI_USAGE_OUTPUT_TOKENS] for one in calls) == total.tokens_out
    assert sum(one[names.USD] for one in calls) == pytest.approx(total.usd)
    for report in result.reports:
        mine = [one for one in calls if one[names.CYCLE] == report.cycle]
        assert len(mine) == report.cost.calls
        assert sum(one[names.GEN_AI_USAGE_INPUT_TOKENS] for one in mine) == report.cost.tokens_in
    cycles = {told(span)[names.CYCLE]: told(span) for span in spans if span.name.startswith("cycle ")}
    for report in result.reports:
        assert cycles[report.cycle].get(names.CALLS, 0) == report.cost.calls
        assert cycles[report.cycle].get(names.CACHED, 0) == report.cost.cached_calls
    assert not any(names.GEN_AI_USAGE_INPUT_TOKENS in told(span) for span in spans if span not in of(spans, "chat"))


def test_a_call_is_named_as_the_conventions_have_it(spans: list[Span]) -> None:
    for span in of(spans, "chat"):
        about = told(span)
        assert span.name == "chat fake" and span.kind == Span.SPAN_KIND_CLIENT
        assert about[names.GEN_AI_PROVIDER_NAME] == "openai" and about[names.GEN_AI_REQUEST_MODEL] == "fake"
        assert about[names.SERVER_ADDRESS] == "127.0.0.1" and about[names.SERVER_PORT] > 0


def test_our_names_are_those_of_the_installed_conventions() -> None:
    ours = {name: value for name, value in vars(names).items() if name.startswith("GEN_AI_")}
    assert len(ours) > 8
    for name, value in ours.items():
        assert getattr(gen_ai_attributes, name) == value
    assert names.SERVER_ADDRESS == server_attributes.SERVER_ADDRESS
    assert names.SERVER_PORT == server_attributes.SERVER_PORT
    operations = {one.value for one in gen_ai_attributes.GenAiOperationNameValues}
    assert {names.CHAT, names.INVOKE_AGENT, names.INVOKE_WORKFLOW} <= operations
    providers = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    assert {*names.PROVIDERS.values(), names.OPENAI} <= providers


def test_verdicts_are_events(spans: list[Span], result: tutelage.Result) -> None:
    found = [(span, event, told(event)) for span in spans for event in span.events]
    assert {event.name for _, event, _ in found} == {names.EVALUATION}
    gates = {span.name: about for span, _, about in found if about[names.GEN_AI_EVALUATION_NAME] == "gate"}
    for report in result.reports:
        about = gates[f"cycle {report.cycle}"]
        assert about[names.GEN_AI_EVALUATION_SCORE_LABEL] == report.verdict.value
        assert about[names.GEN_AI_EVALUATION_EXPLANATION] == report.why
    known = {one.id: one for c in (1, 2) for one in RunDir(result.path).rationales(c)}
    checks = [about for _, _, about in found if about[names.GEN_AI_EVALUATION_NAME] == "verification"]
    assert {about[names.RATIONALE] for about in checks} == {
        id_ for id_, one in known.items() if not one.teacher.startswith("purifier")
    }
    for about in checks:
        one = known[about[names.RATIONALE]]
        label = "verified" if one.verified else "rejected"
        assert about[names.GEN_AI_EVALUATION_SCORE_LABEL] == label
        assert about.get(names.GEN_AI_EVALUATION_EXPLANATION) == one.rejected


def test_texts_are_told_only_if_asked_for(result: tutelage.Result, tmp_path: Path, tutelage_cli: Cli) -> None:
    lesson = result.lessons(1)[0]
    assert tutelage_cli("export", "spans", result.path, "-o", tmp_path / "bare.jsonl")[0] == 0
    assert tutelage_cli("export", "spans", result.path, "-o", tmp_path / "told.jsonl", "--content")[0] == 0
    bare, whole = ((tmp_path / name).read_text() for name in ("bare.jsonl", "told.jsonl"))
    assert "Is your first step true?" not in bare and lesson.question not in bare
    assert "Is your first step true?" in whole and lesson.question in whole
    assert len(read_back(tmp_path / "told.jsonl")) == len(read_back(tmp_path / "bare.jsonl"))


def test_exported_again_a_run_has_the_same_names(result: tutelage.Result, tmp_path: Path, tutelage_cli: Cli) -> None:
    first, second = (tmp_path / name for name in ("first.jsonl", "second.jsonl"))
    for path in (first, second):
        assert tutelage_cli("export", "spans", result.path, "-o", path)[0] == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_run_that_failed_says_where(tmp_path: Path, tutelage_cli: Cli) -> None:
    class Broken(FakePurifier):
        def purify(self, problem: Any, rationales: Any) -> Any:
            raise ValueError("\ud800 the lights\x1b[31m went out")

    path = tmp_path / "run"
    with pytest.raises(RunError):
        tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path, purifier=Broken())
    events = [event for event in jsonl.read(path / "events.jsonl") if event["kind"] != "failed"]
    assert tutelage_cli("export", "spans", path)[0] == 0
    failed = {span.name: span for span in read_back(path / "spans.jsonl") if span.status.code == 2}
    assert set(failed) == {"run", "cycle 1", "purify"}
    assert "the lights" in failed["purify"].status.message
    (path / "events.jsonl").write_text("".join(map(jsonl.dumps, events)))  # as after kill -9
    assert tutelage_cli("export", "spans", path)[0] == 0
    failed = {span.name: span for span in read_back(path / "spans.jsonl") if span.status.code == 2}
    assert failed["purify"].status.message == "interrupted" and "run" not in failed


class Collector(HTTPServer):
    """An OpenTelemetry collector's door for OTLP over HTTP."""

    def __init__(self, status: int = 200) -> None:
        self.taken: list[tuple[str, ExportTraceServiceRequest]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                collector.taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made
        made.shutdown()


def test_a_collector_gets_the_same_spans(
    result: tutelage.Result, spans: list[Span], collector: Collector, tutelage_cli: Cli
) -> None:
    code, out, _ = tutelage_cli("export", "spans", result.path, "--endpoint", collector.url, "--json")
    assert code == 0 and json.loads(out)["spans"] == len(spans)
    assert {path for path, _ in collector.taken} == {"/v1/traces"}
    got = [
        span
        for _, request in collector.taken
        for one in request.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]
    assert {span.span_id: span for span in got} == {span.span_id: span for span in spans}


def test_wrong_input_is_one_line(result: tutelage.Result, tmp_path: Path, tutelage_cli: Cli) -> None:
    with Collector(status=403) as refusing:
        for arguments, told_ in [
            ((tmp_path,), "no run directory"),
            ((result.path, "--endpoint", "localhost:4318"), "write it like http://localhost:4318"),
            ((result.path, "--endpoint", ""), "--endpoint '': is no address"),
            ((result.path, "--endpoint", "http://[::1"), "--endpoint 'http://[::1': is no address"),
            ((result.path, "--endpoint", "http://h:99999"), "is no address"),
            ((result.path, "-o", result.path / "config.yaml" / "x"), "is no folder"),
            ((result.path, "--endpoint", refusing.url), "did not take the spans ("),
            ((result.path, "--endpoint", "http://x", "-o", "y"), "leave -o out"),
            ((result.path, "-o", tmp_path), "is a folder"),
        ]:
            code, out, err = tutelage_cli("export", "spans", *arguments)
            assert (code, out, len(err.splitlines())) == (2, "", 1) and told_ in err
        assert not (result.path / "spans.jsonl").exists()
        refusing.shutdown()


def test_without_the_package_the_remedy_is_named(
    result: tutelage.Result, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    code, _, err = tutelage_cli("export", "spans", result.path)
    assert code == 2 and "pip install 'tutelage[otel]'" in err


def test_the_command_line_without_exports_does_not_load_opentelemetry() -> None:
    told_ = "import sys, tutelage.cli; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    assert subprocess.check_output([sys.executable, "-c", told_], text=True).strip() == "[]"
