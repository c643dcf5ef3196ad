"""The nodes of a run as spans, by what events.jsonl tells of their beginning and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..schema import Rationale
from . import conventions as names
from .span import Moment, Span

Event = Mapping[str, Any]

INTERRUPTED = "interrupted"
"""The failure of a node that neither ended nor said why not."""
_AGAIN = ("resumed", "changed", "skipped", "started")
"""What is told only while no node runs: one that is still open was cut off, maybe days before."""


class NodeSpans:
    """Reads the events one after another; nodes never run at the same time."""

    def __init__(self, rationales: Mapping[str, Rationale], content: bool) -> None:
        """Begin without a node.

        Args:
            rationales: By their ids: what was said of each.
            content: Whether their texts are told.
        """
        self.found: list[Span] = []
        self._rationales, self._content = rationales, content
        self._node: Span | None = None
        self._stage: Span | None = None
        self._last = 0.0

    def read(self, events: Iterable[Event]) -> list[Span]:
        """Return the nodes, each with the lessons and training stages in it."""
        for event in events:
            self._take(event)
            self._last = event["time"]
        self._close(self._last, INTERRUPTED)
        return self.found

    def _take(self, event: Event) -> None:
        kind, at = event.get("kind"), event["time"]
        if kind in _AGAIN:
            self._close(self._last, INTERRUPTED)
        if kind == "started":
            told = {names.NODE: event["node"], names.CYCLE: event["cycle"]}
            self._node = Span(event["node"], at, at, told)
            self.found.append(self._node)
        elif self._node is None:
            return
        elif kind in ("finished", "waiting"):  # a person is waited for without the run
            self._close(at, None)
        elif kind in ("failed", "stopped"):
            self._close(at, str(event["why"]))
        elif kind == "training":
            self._stage = Span(f"train {event['stage']}", at, at, {names.STAGE: event["stage"]})
            self._node.children.append(self._stage)
        elif kind == "trained" and self._stage is not None:
            told = {names.STEPS: event["steps"], names.TOKENS: event["tokens"], names.LOSS: event["loss"]}
            self._stage.attributes.update(told)
            self._stage.end, self._stage = at, None
        elif kind == "written":
            self._lesson(self._node, event)

    def _close(self, at: float, failure: str | None) -> None:
        for span in (self._stage, self._node):
            if span is not None:
                span.end, span.failure = at, failure
        self._stage = self._node = None

    def _lesson(self, node: Span, event: Event) -> None:
        """Add what one teacher wrote for a problem, with the verdict on each revision."""
        at = event["time"]
        told = {names.GEN_AI_OPERATION_NAME: names.INVOKE_AGENT, names.GEN_AI_AGENT_NAME: event["teacher"]}
        span = Span(f"{names.INVOKE_AGENT} {event['teacher']}", at - event["seconds"], at, told)
        span.attributes[names.DRAFT] = event["draft"]
        known = [self._rationales[id_] for id_ in event["rationales"] if id_ in self._rationales]
        span.moments += [Moment(names.EVALUATION, at, self._verdict(one)) for one in known]
        problem_span(node, event["problem_id"], span).children.append(span)

    def _verdict(self, one: Rationale) -> dict[str, str | int | float | bool]:
        label = "verified" if one.verified else "rejected"
        told = {names.GEN_AI_EVALUATION_NAME: "verification", names.GEN_AI_EVALUATION_SCORE_LABEL: label}
        why = {names.GEN_AI_EVALUATION_EXPLANATION: one.rejected} if one.rejected else {}
        text = {names.RATIONALE_TEXT: one.text} if self._content else {}
        return {**told, **why, names.RATIONALE: one.id, names.REVISION: one.revision, **text}


def problem_span(node: Span, problem_id: str, child: Span) -> Span:
    """Return the span of a problem inside of a node; a new one is as long as the child that it is for."""
    if problem_id not in node.problems:
        told = {names.PROBLEM: problem_id, names.CYCLE: node.attributes[names.CYCLE]}
        made = Span(f"{node.name} {problem_id}", child.start, child.end, told)
        node.problems[problem_id] = made
        node.children.append(made)
    return node.problems[problem_id]
