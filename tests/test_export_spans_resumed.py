"""Spans of a run that was killed and gone on with a day later: what was cut off ended then, with all of its calls."""

from __future__ import annotations

from typing import Any

import pytest

from tutelage.export import conventions as names
from tutelage.export.call_spans import add_calls
from tutelage.export.node_spans import INTERRUPTED, NodeSpans
from tutelage.export.span import Span
from tutelage.ledgerfile import Use

DAY = 86_400.0


def told(kind: str, time: float, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "time": time, "cycle": 1, "node": "teach", **more}


CUT_OFF = [told("started", 0.0), told("progress", 1.0, node="exam probe"), told("training", 2.0, stage="sft")]
AGAIN = [told("started", DAY + 3), told("finished", DAY + 9, seconds=6.0)]
BEFORE: list[list[dict[str, Any]]] = [
    [],
    [told("resumed", DAY)],
    [{"kind": "changed", "time": DAY, "set": ["stop.cycles=3"]}, told("resumed", DAY + 1)],
    [told("skipped", DAY, node="examine"), {"kind": "update", "time": DAY + 1, "update": {}}],  # as the Studio goes on
    [told("resumed", DAY), told("note", DAY + 1), told("skipped", DAY + 2, node="plan")],
]


@pytest.mark.parametrize("before", BEFORE, ids=lambda before: "-".join(one["kind"] for one in before) or "at once")
def test_a_node_that_was_killed_ends_with_the_last_that_it_told(before: list[dict[str, Any]]) -> None:
    cut_off, again = NodeSpans({}, content=False).read([*CUT_OFF, *before, *AGAIN])
    assert (cut_off.start, cut_off.end, cut_off.failure) == (0.0, 2.0, INTERRUPTED)
    (stage,) = cut_off.children
    assert (stage.end, stage.failure) == (2.0, INTERRUPTED)
    assert (again.start, again.end, again.failure) == (DAY + 3, DAY + 9, None)


def test_a_run_that_was_killed_twice_and_not_resumed_has_both() -> None:
    nodes = NodeSpans({}, content=False).read([*CUT_OFF, told("resumed", DAY), told("started", DAY + 1)])
    assert [(one.start, one.end) for one in nodes] == [(0, 2), (DAY + 1, DAY + 1)]
    assert {one.failure for one in nodes} == {INTERRUPTED}


def call(created: float, seconds: float = 0.5) -> Use:
    return Use(1, "chat", f"p{created}", False, "m", "1", "text", 10, 4, 0.5, seconds, created)


def placed(uses: list[Use], nodes: list[Span]) -> dict[str, list[float]]:
    run = Span("run", 0.0, 0.0, children=[])
    add_calls(uses, nodes, run, content=False)
    run.children += nodes
    run.fit()
    found = {f"{number} {node.name}": ends_in(node) for number, node in enumerate(nodes)}
    return {**found, "run": [one.end for one in run.children if one.remote]}


def ends_in(node: Span) -> list[float]:
    return sorted(one.end for one in node.walk() if one.remote)


def test_a_reply_after_the_last_event_is_of_the_node_that_was_cut_off() -> None:
    nodes = NodeSpans({}, content=False).read([*CUT_OFF, told("resumed", DAY), *AGAIN])
    assert placed([call(1.5), call(5.0), call(DAY + 4)], nodes) == {
        "0 teach": [1.5, 5.0],
        "1 teach": [DAY + 4],
        "run": [],
    }
    assert nodes[0].end == 5.0 and nodes[0].failure == INTERRUPTED
    assert nodes[1].start == DAY + 3


def test_a_reply_after_a_failure_is_of_the_node_that_failed() -> None:
    events = [told("started", 0.0), told("failed", 2.0, why="no"), told("resumed", DAY), *AGAIN]
    nodes = NodeSpans({}, content=False).read(events)
    assert placed([call(2.4)], nodes) == {"0 teach": [2.4], "1 teach": [], "run": []}


def test_a_reply_while_no_node_runs_is_the_run_s() -> None:
    events = [told("started", 1.0), told("finished", 2.0, seconds=1.0), told("started", 9.0), told("finished", 10.0)]
    nodes = NodeSpans({}, content=False).read(events)
    assert placed([call(0.5), call(5.0)], nodes) == {"0 teach": [], "1 teach": [], "run": [0.5, 5.0]}
    assert nodes[0].attributes[names.NODE] == "teach" and nodes[0].end == 2.0
