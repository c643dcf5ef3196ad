"""The lesson subgraph: one teacher writes one rationale; recall -> draft -> check -> (refine -> check)*.

A rationale becomes a candidate lesson only if its final answer is right and no step of it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from ..config import Ingredient
from ..hashing import content_hash
from ..ledger import ledger_scope
from ..model_thread import on_model_thread
from ..schema import (
    TOO_LONG,
    EarlierRationale,
    Rationale,
    RecalledError,
    TeachingRequest,
)
from ..seams import Task
from .call import NO_TEXT, TeacherCall
from .hearing import heard
from .judge import judge


class LessonState(TypedDict, total=False):
    """One problem's lesson while it is written; lives in memory only."""

    request: TeachingRequest
    drafts: list[Rationale]
    """Every revision so far, each with its verdict."""


@dataclass(frozen=True)
class LessonContext:
    """What the lesson nodes work with."""

    teacher: TeacherCall
    task: Task
    recall: Callable[[TeachingRequest], tuple[RecalledError, ...]]
    fits: Callable[[str], bool]
    """Whether the student could write a text itself, by the token limit of its answers."""
    hears: tuple[Ingredient, ...]
    max_revisions: int


async def recall(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Add similar past errors, and what became of them, to the request; then keep what the teacher is to hear.

    They are looked for by all that is known of the student's failure, also where a teacher does not hear it.
    """
    request = state["request"]
    found = await on_model_thread(runtime.context.recall, request)
    request = request.model_copy(update={"recalled": found})
    return {"request": heard(request, runtime.context.hears), "drafts": []}


async def draft(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Let the teacher write its first rationale."""
    return await _write(state, runtime.context)


async def refine(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Let the teacher write again, its rejected text and the reason being the last of its earlier ones."""
    request, last = state["request"], state["drafts"][-1]
    note = EarlierRationale(rationale_id=last.id, cycle=last.cycle, text=last.text, rejected=last.rejected)
    request = request.model_copy(update={"earlier": (*request.earlier, note)})
    return await _write({**state, "request": request}, runtime.context)


async def check(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Grade the newest rationale and look for a wrong step in it."""
    *before, newest = state["drafts"]
    if newest.rejected in NO_TEXT:
        return {}
    problem = state["request"].problem
    reason, answer, wrong_step = judge(runtime.context.task, problem, newest.text)
    if reason is None and not await on_model_thread(runtime.context.fits, newest.text):
        reason = TOO_LONG
    verdict = {"verified": reason is None, "rejected": reason, "wrong_step": wrong_step, "answer": answer}
    return {"drafts": [*before, newest.model_copy(update=verdict)]}


def next_step(state: LessonState, runtime: Runtime[LessonContext]) -> Literal["refine", "__end__"]:
    """Stop on a verified rationale, at the cap, or when the teacher only repeats itself."""
    return "__end__" if is_final(state["drafts"], runtime.context.max_revisions) else "refine"


def is_final(drafts: Sequence[Rationale], max_revisions: int) -> bool:
    """Whether the last draft is the teacher's final word."""
    last = drafts[-1]
    repeats = len(drafts) > 1 and last.text == drafts[-2].text
    return last.verified or repeats or last.rejected in NO_TEXT or last.revision >= max_revisions


async def _write(state: LessonState, context: LessonContext) -> LessonState:
    request, drafts, teacher = state["request"], state["drafts"], context.teacher
    with ledger_scope(cycle=request.cycle, agent=teacher.name, problem_id=request.problem.id):
        written = await teacher.write(request)
    revision = len(drafts)
    rationale = Rationale(
        id=content_hash(request.cycle, request.problem.id, teacher.name, request.draft, revision, written.text),
        problem_id=request.problem.id,
        teacher=teacher.name,
        cycle=request.cycle,
        text=written.text,
        draft=request.draft,
        revision=revision,
        parent_id=drafts[-1].id if drafts else None,
        conditioned_on=_seen(request),
        scores=written.scores,
        rejected=written.rejected,
    )
    return {"request": request, "drafts": [*drafts, rationale]}


def _seen(request: TeachingRequest) -> dict[str, tuple[str, ...]]:
    seen = {
        "attempts": tuple(a.id for a in request.attempts),
        "weakness": (request.weakness.name,) if request.weakness else (),
        "weak_skills": request.weak_skills,
        "recalled": tuple(e.id for e in request.recalled),
        "earlier": tuple(e.rationale_id for e in request.earlier),
        "history": tuple(e.attempt.id for e in request.history),
    }
    return {kind: ids for kind, ids in seen.items() if ids}


@cache
def lesson_graph() -> CompiledStateGraph[LessonState, LessonContext, LessonState, LessonState]:
    """Build the subgraph; it has no checkpointer, since the run directory keeps each finished lesson."""
    builder = StateGraph(LessonState, context_schema=LessonContext)
    for node in (recall, draft, check, refine):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "draft")
    builder.add_edge("draft", "check")
    builder.add_conditional_edges("check", next_step, ["refine", END])
    builder.add_edge("refine", "check")
    return builder.compile(checkpointer=False, name="lesson")  # or it would inherit the cycle's
