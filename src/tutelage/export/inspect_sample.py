"""One answer as a sample of an inspect_ai log: what was asked and said, and what was taught before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..hashing import content_hash
from ..schema import Attempt, Problem

SCORER = "correct"
_STOPPED = {"stop": "stop", "length": "max_tokens"}
_SHOWN = ("cycle", "kind", "agent")
"""What an event's head tells already."""
_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())
Life = list[dict[str, Any]]
"""What happened to a problem, as `tutelage trace` tells it."""


@dataclass(frozen=True)
class Told:
    """What belongs to an answer besides itself."""

    eval_id: str
    problem: Problem
    instruction: str | None
    model: str
    time: datetime
    before: Sequence[tuple[int, Life]]
    """By cycle, how the problem was taught to the student before."""
    after: Sequence[tuple[int, Life]]
    """By cycle, how it was taught in answer to this."""


def sample_of(attempt: Attempt, told: Told) -> Any:
    """Return an answer as inspect_ai's `EvalSample`."""
    from inspect_ai.log import EvalSample
    from inspect_ai.scorer import CORRECT, INCORRECT, Score

    asked = _asked(told)
    output = _output(told.model, attempt)
    score = Score(
        value=CORRECT if attempt.correct else INCORRECT,
        answer=attempt.answer,
        explanation=_explanation(attempt),
        metadata={"score": attempt.score},
    )
    return EvalSample(
        id=attempt.problem_id,
        epoch=attempt.sample + 1,
        input=asked if told.instruction else told.problem.question,
        target=told.problem.answer,
        messages=[*asked, output.choices[0].message],
        output=output,
        scores={SCORER: score},
        metadata=_metadata(attempt, told),
        events=_in_order(_events(attempt, told, asked, output, score), told.time),
        model_usage={told.model: output.usage},
        uuid=content_hash(told.eval_id, attempt.id),
        completed_at=told.time.isoformat(),
    )


def _asked(told: Told) -> list[Any]:
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser

    system = [ChatMessageSystem(content=told.instruction, source="input")] if told.instruction else []
    return [*system, ChatMessageUser(content=told.problem.question, source="input")]


def _output(model: str, attempt: Attempt) -> Any:
    from inspect_ai.model import ModelUsage

    output = _said(model, attempt.text, _STOPPED[attempt.finish_reason])
    output.usage = ModelUsage(output_tokens=attempt.tokens, total_tokens=attempt.tokens)
    return output


def _said(model: str, text: str, stop_reason: str = "stop") -> Any:
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput

    message = ChatMessageAssistant(content=text, source="generate", model=model)
    return ModelOutput(model=model, choices=[ChatCompletionChoice(message=message, stop_reason=stop_reason)])


def _explanation(attempt: Attempt) -> str | None:
    wrong = attempt.wrong_step
    if wrong is None:
        return None
    return f"first wrong step ({wrong.skill or wrong.kind}): {wrong.found!r}, expected {wrong.expected!r}"


def _metadata(attempt: Attempt, told: Told) -> dict[str, Any]:
    own = attempt.model_dump(
        mode="json", include={"cycle", "student", "sample", "logprob", "tokens", "score", "wrong_step"}
    )
    lessons = [event for _, life in told.before for event in life if event["kind"] == "lesson"]
    taught = [{name: event[name] for name in ("cycle", "agent", "text", "weight")} for event in lessons]
    return {**own, "skills": list(told.problem.skills), **({"taught": taught} if taught else {})}


def _events(attempt: Attempt, told: Told, asked: list[Any], output: Any, score: Any) -> Iterable[Any]:
    from inspect_ai.event import ModelEvent, ScoreEvent
    from inspect_ai.model import GenerateConfig

    for cycle, life in told.before:
        yield from _span(f"taught in cycle {cycle}", attempt.id, _taught(life))
    call = {"input": asked, "tools": [], "tool_choice": "none", "config": GenerateConfig()}
    answer = ModelEvent(model=told.model, role="student", output=output, **call)
    yield from _span("answer", attempt.id, [answer])
    scored = ScoreEvent(score=score, target=told.problem.answer, scorer=SCORER)
    yield from _span("scorers", attempt.id, [scored], type_="scorers")
    for cycle, life in told.after:
        yield from _span(f"then taught in cycle {cycle}", attempt.id, _taught(life))


def _in_order(events: Iterable[Any], time: datetime) -> list[Any]:
    """Return events a millisecond apart, by which the viewer sorts them: when each really was is not known."""
    found = list(events)
    for number, event in enumerate(found):
        event.timestamp = time + timedelta(milliseconds=number)
        event.working_start = number / 1000
    return found


def _span(name: str, of: str, events: Iterable[Any], type_: str | None = None) -> Iterable[Any]:
    from inspect_ai.event import SpanBeginEvent, SpanEndEvent

    span = content_hash(of, name)
    yield SpanBeginEvent(id=span, name=name, type=type_, span_id=span)
    for event in events:
        event.span_id = span
        yield event
    yield SpanEndEvent(id=span, span_id=span)


def _taught(life: Life) -> Iterable[Any]:
    """Yield how a problem was taught: a draft as what its teacher said, a check as a score, the rest as a table."""
    from inspect_ai.event import InfoEvent, ModelEvent, ScoreEvent
    from inspect_ai.model import GenerateConfig
    from inspect_ai.scorer import CORRECT, INCORRECT, Score

    for event in life:
        kind, agent, text = event["kind"], event["agent"], event["text"]
        rest = {name: value for name, value in event.items() if name not in _SHOWN and value not in _NOTHING}
        if kind in ("draft", "refinement"):
            call = {"input": [], "tools": [], "tool_choice": "none", "config": GenerateConfig()}
            seen = {"kind": kind, **{name: value for name, value in rest.items() if name != "text"}}
            yield ModelEvent(model=agent, role="teacher", output=_said(agent, text), metadata=seen, **call)
        elif kind == "check":
            value = CORRECT if event["verified"] else INCORRECT
            verdict = Score(value=value, explanation=text, metadata={"wrong_step": event["wrong_step"]})
            yield ScoreEvent(score=verdict, scorer=f"check of {agent}", intermediate=True)
        else:
            yield InfoEvent(source=f"{kind} ({agent})", data=rest)
