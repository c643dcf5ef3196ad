"""The lesson subgraph: one teacher writes one rationale; recall -> draft -> check -> (critique -> refine -> check)*.

A rationale becomes a candidate lesson only if the judge finds nothing wrong with it. The lesson ends on one that
passes, on the critic's stop signal, on a text that was written before, or at the cap on revisions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from ...config import Ingredient
from ...hashing import content_hash
from ...ledger import ledger_scope
from ...model_thread import on_model_thread
from ...schema import (
    TOO_LONG,
    EarlierRationale,
    Rationale,
    RecalledError,
    TeachingRequest,
)
from ...seams import NOTHING_TO_ASK, StepChecker, Task
from .call import NO_TEXT, TeacherCall
from .critique import CriticCall
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
    critic: CriticCall
    task: Task
    checker: StepChecker
    recall: Callable[[TeachingRequest], tuple[RecalledError, ...]]
    fits: Callable[[str], bool]
    """Whether the student could write a text itself, by the token limit of its answers."""
    hears: tuple[Ingredient, ...]
    max_revisions: int
    check_steps: bool = True
    """Whether a wrong step turns a rationale away."""


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
    """Let the teacher write again, its rejected text being the last of its earlier ones, with reason and question."""
    request, last = state["request"], state["drafts"][-1]
    note = EarlierRationale(
        rationale_id=last.id, cycle=last.cycle, text=last.text, rejected=last.rejected, question=last.critique
    )
    request = request.model_copy(update={"earlier": (*request.earlier, note)})
    return await _write({**state, "request": request}, runtime.context)


async def check(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Grade the newest rationale and look for a wrong step in it."""
    *before, newest = state["drafts"]
    if newest.rejected in NO_TEXT:
        return {}
    context, problem = runtime.context, state["request"].problem
    reason, answer, wrong_step = judge(context.task, problem, newest.text, context.checker, context.check_steps)
    if reason is None and not await on_model_thread(context.fits, newest.text):
        reason = TOO_LONG
    verdict = {"verified": reason is None, "rejected": reason, "wrong_step": wrong_step, "answer": answer}
    return {"drafts": [*before, newest.model_copy(update=verdict)]}


async def critique(state: LessonState, runtime: Runtime[LessonContext]) -> LessonState:
    """Let the critic ask one question about the newest rationale; the question is kept with it."""
    *before, newest = state["drafts"]
    question, failure = await runtime.context.critic.ask(state["request"], newest)
    return {"drafts": [*before, newest.model_copy(update={"critique": question, "critic_failure": failure})]}


def after_check(state: LessonState, runtime: Runtime[LessonContext]) -> Literal["critique", "__end__"]:
    """End the lesson, or let the critic look at the newest rationale."""
    return "__end__" if is_final(state["drafts"], runtime.context.max_revisions) else "critique"


def after_critique(state: LessonState, runtime: Runtime[LessonContext]) -> Literal["refine", "__end__"]:
    """End the lesson if the critic has nothing to ask."""
    return "__end__" if is_final(state["drafts"], runtime.context.max_revisions) else "refine"


def is_final(drafts: Sequence[Rationale], max_revisions: int) -> bool:
    """Whether the last draft is the teacher's final word. All that this goes by is on disk, so a resume can tell."""
    *before, last = drafts
    stops = last.verified or last.rejected in NO_TEXT or last.critique == NOTHING_TO_ASK
    return stops or last.revision >= max_revisions or any(one.text == last.text for one in before)


def recursion_limit(max_revisions: int) -> int:
    """Return the super-steps of the longest lesson (recall, draft, check; three a revision), and one to see its end."""
    return 3 + 3 * max_revisions + 1


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
    for node in (recall, draft, check, critique, refine):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "draft")
    builder.add_edge("draft", "check")
    builder.add_conditional_edges("check", after_check, ["critique", END])
    builder.add_conditional_edges("critique", after_critique, ["refine", END])
    builder.add_edge("refine", "check")
    return builder.compile(checkpointer=False, name="lesson")  # or it would inherit the cycle's
