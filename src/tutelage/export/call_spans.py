"""Model calls as spans, by what the call ledger tells: each inside of the agent that made it, for a problem, in a node.

The ledger knows when a reply arrived and how long its last try took; a call that was tried again begins with that try.
One that the ledger answered took no time and asked nobody, so it is no span: those are counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from ..ledgerfile import Use
from . import conventions as names
from .node_spans import problem_span
from .span import Span, Value


def add_calls(uses: Iterable[Use], nodes: Sequence[Span], outside: Span, content: bool) -> None:
    """Put the calls that were made into the nodes that they were made in.

    Two drafts that a teacher writes for one problem at the same time cannot be told apart: their calls go to the first.

    Args:
        uses: What was asked for, and whether the ledger answered.
        nodes: Nodes with their lessons, in the order in which they began.
        outside: Gets the calls that no node was running for.
        content: Whether the replies' texts are told.
    """
    for use in uses:
        if use.cached:
            continue
        call = _call(use, content)
        node = _node_of(call, nodes)
        if node is None:
            outside.children.append(call)
            continue
        around = problem_span(node, use.problem_id, call) if use.problem_id else node
        _agent(around, use.agent, call).children.append(call)


def add_counts(uses: Iterable[Use], cycles: Iterable[Span]) -> None:
    """Tell each cycle how many calls were made and answered from the ledger, and each problem in it the latter."""
    by_cycle = {one.attributes[names.CYCLE]: one for one in cycles}
    for use in uses:
        cycle = by_cycle.get(use.cycle)
        if cycle is None:
            continue
        _count(cycle, names.CACHED if use.cached else names.CALLS)
        for node in cycle.children if use.cached else ():
            if use.problem_id in node.problems:
                _count(node.problems[use.problem_id], names.CACHED)
                break


def _count(span: Span, name: str) -> None:
    span.attributes[name] = int(span.attributes.get(name, 0)) + 1


def _node_of(call: Span, nodes: Sequence[Span]) -> Span | None:
    """Return the node that a call was made in, also where that was cut off, or failed, before the reply came."""
    inside = next((one for one in nodes if one.holds(call.end)), None)
    if inside is not None:
        return inside
    last = next((one for one in reversed(nodes) if one.start <= call.end), None)
    return last if last is not None and last.failure is not None else None


def _agent(around: Span, agent: str, call: Span) -> Span:
    """Return the lesson of an agent that a call was made in; else its invocation is as long as the call."""
    for one in around.children:
        if one.attributes.get(names.GEN_AI_AGENT_NAME) == agent and one.holds(call.end) and not one.remote:
            return one
    told = {names.GEN_AI_OPERATION_NAME: names.INVOKE_AGENT, names.GEN_AI_AGENT_NAME: agent}
    made = Span(f"{names.INVOKE_AGENT} {agent}", call.start, call.end, dict(told))
    around.children.append(made)
    return made


def _call(use: Use, content: bool) -> Span:
    model, provider, server = _place(use.model)
    told: dict[str, Value] = {
        names.GEN_AI_OPERATION_NAME: names.CHAT,
        names.GEN_AI_PROVIDER_NAME: provider,
        names.GEN_AI_REQUEST_MODEL: model,
        names.GEN_AI_USAGE_INPUT_TOKENS: use.tokens_in,
        names.GEN_AI_USAGE_OUTPUT_TOKENS: use.tokens_out,
        names.GEN_AI_AGENT_NAME: use.agent,
        names.USD: use.usd,
        names.CYCLE: use.cycle,
        names.PROMPT_VERSION: use.prompt_version,
        **({names.PROBLEM: use.problem_id} if use.problem_id else {}),
        **server,
        **({names.GEN_AI_OUTPUT_MESSAGES: _message(use.text)} if content else {}),
    }
    return Span(f"{names.CHAT} {model}", use.created - use.seconds, use.created, told, remote=True)


def _place(place: str) -> tuple[str, str, dict[str, Value]]:
    """Return model, provider and server of what the ledger calls the model."""
    model, _, url = place.partition(" @ ")
    if not url:
        provider, colon, name = model.partition(":")
        return (name, names.PROVIDERS.get(provider, provider), {}) if colon else (model, names.OPENAI, {})
    parts = urlsplit(url)
    port: dict[str, Value] = {names.SERVER_PORT: parts.port} if parts.port else {}
    return model, names.OPENAI, {names.SERVER_ADDRESS: parts.hostname or url, **port}


def _message(text: str) -> str:
    part = {"type": "text", "content": text}
    return json.dumps([{"role": "assistant", "parts": [part], "finish_reason": "stop"}], ensure_ascii=False)
