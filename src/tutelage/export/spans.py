"""A whole run as spans: run -> cycle -> node -> problem -> agent -> model call; verdicts are events in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from .. import jsonl
from ..errors import InputError
from ..ledgerfile import read_uses
from ..lineage import REPORTING
from ..rundir import RunDir
from ..schema import CycleReport
from ..traces import summarise
from . import conventions as names
from .call_spans import add_calls, add_counts
from .node_spans import NodeSpans
from .span import Moment, Span, Value


def run_spans(rundir: RunDir, content: bool = False) -> Span:
    """Return the run, all else inside of it; one that is not finished ends with its last event.

    Args:
        rundir: The run.
        content: Whether questions, rationales and replies are told, rather than their names alone.

    Raises:
        InputError: If nothing has happened in the run yet.
        RunError: If a file of the run cannot be read.
    """
    events = list(jsonl.read(rundir.events))
    if not events:
        raise InputError(f"{rundir.path}: nothing has happened in this run yet (no events.jsonl)")
    uses = read_uses(rundir.calls)
    summary = summarise(rundir)
    run = Span(_name(rundir), events[0]["time"], events[-1]["time"], _about(rundir, summary))
    run.failure = summary["failure"]
    rationales = {one.id: one for cycle in _cycles(events) for one in rundir.rationales(cycle)}
    nodes = NodeSpans(rationales, content).read(events)
    add_calls(uses, nodes, run, content)
    cycles = _by_cycle(nodes, rundir.reports())
    add_counts(uses, cycles)
    run.children += cycles
    if content:
        _add_questions(rundir, nodes)
    run.fit()
    return run


def _name(rundir: RunDir) -> str:
    return rundir.path.resolve().name


def _cycles(events: Sequence[dict[str, object]]) -> list[int]:
    return sorted({int(str(event["cycle"])) for event in events if event.get("kind") == "written"})


def _about(rundir: RunDir, summary: Mapping[str, Any]) -> dict[str, Value]:
    told: dict[str, Value] = {
        names.GEN_AI_OPERATION_NAME: names.INVOKE_WORKFLOW,
        names.GEN_AI_WORKFLOW_NAME: _name(rundir),
        names.STATUS: summary["status"],
    }
    return {**told, **({names.STOP_REASON: summary["stop_reason"]} if summary["stop_reason"] else {})}


def _by_cycle(nodes: Sequence[Span], reports: Sequence[CycleReport]) -> list[Span]:
    """Put the nodes into their cycles, each with its verdict if there is one yet."""
    grouped: dict[Value, list[Span]] = defaultdict(list)
    for node in nodes:
        grouped[node.attributes[names.CYCLE]].append(node)
    made = {cycle: _cycle(cycle, some) for cycle, some in grouped.items()}
    for report in reports:
        judged = [one for one in grouped[report.cycle] if one.name in REPORTING]
        if judged:
            made[report.cycle].moments.append(_verdict(report, judged[-1].end))
            made[report.cycle].attributes[names.USD] = report.cost.usd
    return list(made.values())


def _cycle(cycle: Value, nodes: list[Span]) -> Span:
    span = Span(f"cycle {cycle}", nodes[0].start, nodes[-1].end, {names.CYCLE: cycle}, children=nodes)
    span.failure = nodes[-1].failure
    return span


def _verdict(report: CycleReport, at: float) -> Moment:
    told: dict[str, Value] = {
        names.GEN_AI_EVALUATION_NAME: "gate",
        names.GEN_AI_EVALUATION_SCORE_LABEL: report.verdict.value,
        names.GEN_AI_EVALUATION_EXPLANATION: report.why,
        **{f"{names.ACCURACY}.{split}": share for split, share in report.accuracy.items()},
    }
    return Moment(names.EVALUATION, at, told)


def _add_questions(rundir: RunDir, nodes: Sequence[Span]) -> None:
    questions = {one.id: one.question for some in rundir.problems().values() for one in some}
    for node in nodes:
        for problem_id, span in node.problems.items():
            if problem_id in questions:
                span.attributes[names.QUESTION] = questions[problem_id]
