"""Evaluate: examine the candidate, accept it or roll back to the best checkpoint, and decide whether to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from langgraph.runtime import Runtime

from ..budget import overspent
from ..reviews import count_verdicts
from ..schema import Attempt, CycleReport, LessonCounts, Rationale, Split, Verdict
from ..seams import NOTHING_TO_ASK
from ..training.gate import Decision, decide
from .agreement import measure_agreement
from .baseline import retained_ids
from .context import RunContext
from .exam import accuracy, examine_split, known_attempts
from .examine import taught_problems
from .lesson.call import NO_TEXT
from .replay import count_problems, replayed_lessons
from .state import CycleState
from .step import step


@step
async def evaluate(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Put the candidate through the gate and report the cycle."""
    context, cycle, candidate = runtime.context, state["cycle"], state["candidate"]
    if candidate is None:
        decision = Decision(Verdict.ROLLED_BACK, state["candidate_note"] + _rejections(context, cycle))
        results: dict[Split, list[Attempt]] = {}
    else:
        results = await _examine_candidate(context, runtime, cycle, candidate)
        before = known_attempts(context, state["best"], Split.GATE, cycle)
        decision = decide(
            [before[a.problem_id, 0].correct for a in results[Split.GATE]],
            [a.correct for a in results[Split.GATE]],
            [a.correct for a in results.get(Split.RETENTION, ())] or None,
            context.config.gate,
        )
    train = results.get(Split.TRAIN, [])
    agreement = await measure_agreement(context, runtime.stream_writer, state, train)
    report = _report(context, state, results, decision).model_copy(update={"agreement": agreement})
    context.rundir.write_report(report)
    return _next_state(context, state, decision, report)


def _rejections(context: RunContext, cycle: int) -> str:
    """Say why rationales were turned away, with the words of one where there is no text."""
    counts = _count_rejected(context.rundir.rationales(cycle))
    if not counts:
        return ""
    told = ", ".join(f"{reason} {n}" for reason, n in counts.items())
    words = next((r.text for r in context.rundir.rationales(cycle) if r.rejected in NO_TEXT), "")
    return f"; rejected: {told}" + (f", such as {' '.join(words.split())!r}" if words else "")


async def _examine_candidate(
    context: RunContext, runtime: Runtime[RunContext], cycle: int, candidate: str
) -> dict[Split, list[Attempt]]:
    kept = retained_ids(context)
    retention = [p for p in context.problems.get(Split.RETENTION, ()) if p.id in kept]
    splits = {
        Split.GATE: context.problems[Split.GATE],
        Split.RETENTION: retention,
        Split.PROBE: context.problems[Split.PROBE],
        Split.TRAIN: taught_problems(context, cycle),  # what became of the lessons; the gate does not look at it
    }
    return {
        split: await examine_split(
            context, runtime.stream_writer, cycle=cycle, student=candidate, split=split, problems=problems
        )
        for split, problems in splits.items()
        if problems
    }


def _report(
    context: RunContext, state: CycleState, results: dict[Split, list[Attempt]], decision: Decision
) -> CycleReport:
    cycle = state["cycle"]
    diagnosis = context.rundir.diagnosis(cycle)
    shown = {split: attempts for split, attempts in results.items() if split is not Split.TRAIN}
    return CycleReport(
        cycle=cycle,
        student=state["candidate"] or state["student"],
        parent=state["student"],
        accuracy={split: accuracy(attempts) for split, attempts in shown.items()},
        n={split: len(attempts) for split, attempts in shown.items()},
        weaknesses=diagnosis.weaknesses if diagnosis else (),
        lessons=_count_lessons(context, state),
        training=tuple(context.rundir.training(cycle)) if results else (),
        verdict=decision.verdict,
        why=decision.why,
        cost=context.ledger.cost(cycle),
    )


def _count_lessons(context: RunContext, state: CycleState) -> LessonCounts:
    cycle = state["cycle"]
    lessons = context.rundir.lessons(cycle)
    own = sum(lesson.origin == "student" for lesson in lessons)
    rationales = context.rundir.rationales(cycle)
    taught = {lesson.rationale_id for lesson in lessons}  # also what a person taught against the check's word
    critiques = Counter(said for r in rationales if (said := _critique(r)))
    return LessonCounts(
        taught=len(lessons),
        from_student=own,
        from_teachers=len(lessons) - own,
        replayed=count_problems(replayed_lessons(context, cycle, state["student"])) if state["candidate"] else 0,
        rejected=_count_rejected(r for r in rationales if r.id not in taught),
        critiques=dict(sorted(critiques.items())),
        by_hand=count_verdicts(context.rundir, cycle),
    )


def _count_rejected(rationales: Iterable[Rationale]) -> dict[str, int]:
    return dict(sorted(Counter(r.rejected for r in rationales if r.rejected).items()))


def _critique(rationale: Rationale) -> str | None:
    if rationale.critique is None:
        return "failed" if rationale.critic_failure else None
    return "stopped" if rationale.critique == NOTHING_TO_ASK else "asked"


def _next_state(context: RunContext, state: CycleState, decision: Decision, report: CycleReport) -> CycleState:
    cycle = state["cycle"]
    gate = report.accuracy.get(Split.GATE, 0.0)
    accepted = decision.verdict is Verdict.ACCEPTED
    improved = accepted and gate > state["best_gate"]
    best = report.student if improved else state["best"]
    update = CycleState(
        cycle=cycle + 1,
        student=report.student if accepted else best,
        best=best,
        best_cycle=cycle if improved else state["best_cycle"],
        best_gate=gate if improved else state["best_gate"],
        since_best=0 if improved else state["since_best"] + 1,
        candidate=None,
    )
    update["stop_reason"] = stop_reason(context, cycle, update)
    if update["stop_reason"]:
        update["cycle"] = cycle
    return update


def stop_reason(context: RunContext, cycle: int, state: CycleState) -> str | None:
    """Return why the loop ends after this cycle, or None."""
    stop = context.config.stop
    if stop.target is not None and state["best_gate"] >= stop.target:
        return f"target: gate accuracy {state['best_gate']:.2f} reached {stop.target:.2f}"
    if cycle >= stop.cycles:
        return f"cycles: {stop.cycles} done"
    if stop.patience is not None and state["since_best"] >= stop.patience:
        return f"patience: no better checkpoint in {state['since_best']} cycles"
    spent = overspent(context.ledger.cost(), stop.max_usd, stop.max_tokens)
    if spent is not None:
        return str(spent)
    return None


def route(state: CycleState) -> str:
    """Name the next node: another cycle, or the end."""
    return "finish" if state.get("stop_reason") else "examine"
