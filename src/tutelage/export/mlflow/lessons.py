"""One MLflow trace for each problem taught in a cycle: recalls, drafts, checks, critiques, decisions, the lesson."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...errors import encodable
from ...hashing import content_hash
from ...rundir import RunDir
from ...schema import Problem
from ...traces.find import every_problem
from ...traces.life import life_in
from ...traces.rows import CycleRows, Journal, read_cycle
from .times import Times

_SPAN_TYPE = {
    "attempt": "LLM",
    "recall": "MEMORY",
    "draft": "LLM",
    "refinement": "LLM",
    "check": "EVALUATOR",
    "critique": "EVALUATOR",
    "purification": "RERANKER",
}
"""MLflow's word for what a span is."""

_PREVIEW = 1000
"""Characters of question and lesson in MLflow's list of traces."""

_NAME = 100
"""Characters of a span's name; an agent's name may have any length."""


class LessonTrace(NamedTuple):
    """A trace, in plain values; `spans` are as MLflow writes them down, the root first."""

    id: str
    began: int
    """In nanoseconds since 1970, as in its spans."""
    ended: int
    spans: list[dict[str, Any]]
    request: str
    response: str
    tags: dict[str, str]


def lesson_traces(
    rundir: RunDir, run_id: str, cycle: int, times: Times, most: int
) -> tuple[Iterator[LessonTrace], int]:
    """Return the traces of a cycle, as they are asked for, and how many problems are left out.

    Of more problems than wanted, those are taken first whose drafts were turned away: there is more to see.

    Args:
        rundir: The run.
        run_id: MLflow's run; the ids of the traces come from it, so that they are the same at every export.
        cycle: The cycle.
        times: When what happened.
        most: Traces at most.
    """
    known, rows = every_problem(rundir), read_cycle(rundir, cycle)
    new = [one for one, lessons in rows.lessons.items() if any(x.cycle == cycle and not x.rehearsed for x in lessons)]
    taught = [one for one in dict.fromkeys([*rows.rationales, *new]) if one in known]
    taught.sort(key=lambda one: all(rationale.verified for rationale in rows.rationales.get(one, ())))
    journal = Journal(rundir)
    made = (_trace(rows, known[one][1], journal, run_id, times) for one in taught[:most])
    return made, len(taught[most:])


def _trace(rows: CycleRows, problem: Problem, journal: Journal, run_id: str, times: Times) -> LessonTrace:
    cycle = rows.cycle
    events = list(life_in(rows, problem, journal, every_decision=True))
    whole = content_hash(run_id, cycle, problem.id, length=32)
    lessons = [lesson.text for lesson in rows.lessons.get(problem.id, ())]
    verified = any(rationale.verified for rationale in rows.rationales.get(problem.id, ()))
    teachers = list(dict.fromkeys(rationale.teacher for rationale in rows.rationales.get(problem.id, ())))
    spans = list(_spans(whole, events, problem, rows.candidate, times))
    began, ended = (round(1e9 * moment) for moment in times.lesson(cycle))
    moments = [began, ended, *(span["start_time_unix_nano"] for span in spans)]
    told = {"cycle": cycle, "problem_id": problem.id, "skills": problem.skills, "verified": verified}
    root = _span(
        whole,
        "root",
        None,
        name="lesson",
        kind="CHAIN",
        at=(min(moments), max(moments)),
        inputs={"question": problem.question, "answer": problem.answer},
        outputs=lessons,
        told={**told, "teachers": teachers},
    )
    return LessonTrace(
        id=f"tr-{whole}",
        began=min(moments),
        ended=max(moments),
        spans=[root, *spans],
        request=encodable(problem.question)[:_PREVIEW],
        response=encodable("\n".join(lessons))[:_PREVIEW],
        tags={"tutelage.cycle": str(cycle), "tutelage.problem": encodable(problem.id)[:250]},
    )


def _spans(
    whole: str, events: list[dict[str, Any]], problem: Problem, candidate: str, times: Times
) -> Iterator[dict[str, Any]]:
    """Yield a span for each event, checks and critiques below what they are about."""
    above, written = "root", ""
    for number, event in enumerate(events):
        kind, text = event["kind"], event["text"]
        if kind in ("draft", "refinement"):
            above, written = str(number), text
        about_it = kind in ("check", "critique")
        inputs = written if about_it else {"question": event.get("question", problem.question)}
        at = round(times.of(event, candidate) * 1e9) + 1000 * number  # the order is kept: MLflow sorts by time
        told = {key: value for key, value in event.items() if key not in ("text", "question") and value is not None}
        failed = kind == "check" and not event["verified"]
        yield _span(
            whole,
            str(number),
            above if about_it else "root",
            name=f"{kind} ({event['agent']})",
            kind=_SPAN_TYPE.get(kind, "TASK"),
            at=(at, at),
            inputs=inputs,
            outputs=text,
            told=told,
            failure=text if failed else None,
        )


def _span(
    whole: str,
    name_of_id: str,
    above: str | None,
    *,
    name: str,
    kind: str,
    at: tuple[int, int],
    inputs: Any,
    outputs: Any,
    told: dict[str, Any],
    failure: str | None = None,
) -> dict[str, Any]:
    """Return a span in the form in which MLflow reads it back; what it says of itself is JSON."""
    own = {f"tutelage.{key}": value for key, value in told.items()}
    mlflow = {"traceRequestId": f"tr-{whole}", "spanType": kind, "spanInputs": inputs, "spanOutputs": outputs}
    attributes = {**own, **{f"mlflow.{key}": value for key, value in mlflow.items()}}
    return {
        "trace_id": _id(whole),
        "span_id": _id(content_hash(whole, name_of_id)),
        "parent_span_id": None if above is None else _id(content_hash(whole, above)),
        "name": encodable(name)[:_NAME],
        "start_time_unix_nano": at[0],
        "end_time_unix_nano": at[1],
        "status": {
            "code": "STATUS_CODE_ERROR" if failure else "STATUS_CODE_OK",
            "message": encodable(failure or "")[:_PREVIEW],
        },
        "attributes": {key: encodable(json.dumps(value, ensure_ascii=False)) for key, value in attributes.items()},
        "links": [],
    }


def _id(hexadecimal: str) -> str:
    return b64encode(bytes.fromhex(hexadecimal)).decode()
