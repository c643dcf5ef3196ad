"""Cycle 0: the base student's exam on every split, before anything is taught."""

from __future__ import annotations

from langgraph.runtime import Runtime

from ..schema import BASE, Attempt, CycleReport, Split, Verdict
from .context import RunContext
from .exam import accuracy, examine_split
from .rehearse import rehearse
from .state import CycleState
from .step import step


@step
async def baseline(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Examine the base student; what it answers right on the retention split is what must be kept."""
    context = runtime.context
    results: dict[Split, list[Attempt]] = {}
    for split in (Split.RETENTION, Split.PROBE, Split.GATE, Split.TEST):
        if problems := context.problems.get(split):
            results[split] = await examine_split(
                context, runtime.stream_writer, cycle=0, student=BASE, split=split, problems=problems
            )
    await _find_what_is_known(context, runtime, results.get(Split.RETENTION, []))
    await rehearse(context, runtime.stream_writer)
    report = _report(context, results)
    context.rundir.write_report(report)
    return CycleState(
        cycle=1,
        student=BASE,
        best=BASE,
        best_cycle=0,
        best_gate=report.accuracy[Split.GATE],
        since_best=0,
        candidate=None,
        stop_reason=None,
    )


async def _find_what_is_known(context: RunContext, runtime: Runtime[RunContext], answered: list[Attempt]) -> None:
    """Ask again, by sampling, what the base student has got right of the retention split; one failure is enough."""
    retention = context.config.retention
    for sample in range(1, 1 + (retention.samples if retention else 0)):
        right = {attempt.problem_id for attempt in answered if attempt.correct}
        answered = await examine_split(
            context,
            runtime.stream_writer,
            cycle=0,
            student=BASE,
            split=Split.RETENTION,
            problems=[problem for problem in context.problems[Split.RETENTION] if problem.id in right],
            first_sample=sample,
        )


def retained_ids(context: RunContext) -> set[str]:
    """Return the retention problems that the base student has answered right each time it was asked."""
    base = [a for a in context.rundir.attempts(0) if a.split is Split.RETENTION and a.student == BASE]
    return {a.problem_id for a in base} - {a.problem_id for a in base if not a.correct}


def _to_keep(kept: int, asked: int) -> str:
    if not kept:
        return f"surely right on none of {asked} retention problems: it has nothing to keep, so no loss will be seen"
    return f"surely right on {kept} of {asked} retention problems, which it must keep"


def _report(context: RunContext, results: dict[Split, list[Attempt]]) -> CycleReport:
    shown: dict[Split, float] = {
        split: accuracy(attempts) for split, attempts in results.items() if split is not Split.RETENTION
    }
    sizes: dict[Split, int] = {
        split: len(attempts) for split, attempts in results.items() if split is not Split.RETENTION
    }
    kept = len(retained_ids(context))
    if kept:
        shown[Split.RETENTION], sizes[Split.RETENTION] = 1.0, kept
    asked = len(results.get(Split.RETENTION, ()))
    note = f"; {_to_keep(kept, asked)}" if asked else ""
    return CycleReport(
        cycle=0,
        student=BASE,
        parent=BASE,
        accuracy=shown,
        n=sizes,
        verdict=Verdict.BASELINE,
        why=f"the base student, untaught{note}",
        cost=context.ledger.cost(0),
    )
