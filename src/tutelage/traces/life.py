"""One problem's life: attempts, diagnosis, recalls, drafts, checks, lesson, what followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import jsonl
from ..errors import InputError, did_you_mean
from ..rundir import RunDir
from ..schema import SCHEMA_VERSION, Attempt, Decision, Diagnosis, Lesson, Problem, Rationale
from ..tagging import tagged


def trace(rundir: RunDir, problem_id: str | None = None) -> dict[str, Any]:
    """Return one problem's life as `tutelage trace --json` prints it.

    Args:
        rundir: The run.
        problem_id: An id, or the beginning of one; None takes, of the problems taught, the one asked most often.

    Raises:
        InputError: If the run has no such problem.
    """
    problem = _find(rundir, problem_id or _most_asked(rundir))
    last = max((report.cycle for report in rundir.reports()), default=0) + 1
    events = [event for cycle in range(last + 1) for event in _life(rundir, problem, cycle)]
    return {"schema": SCHEMA_VERSION, "problem": problem.model_dump(mode="json"), "events": events}


def _most_asked(rundir: RunDir) -> str:
    """Return the taught problem that was asked most often, and of several the one with the most lessons.

    Where nothing was taught, it is one that a teacher wrote something for.
    """
    taught, asked, written = Counter[str](), Counter[str](), Counter[str]()
    for cycle in range(len(rundir.reports()) + 1):  # the last one may be under way
        taught.update(lesson.problem_id for lesson in rundir.lessons(cycle))
        asked.update(attempt.problem_id for attempt in rundir.attempts(cycle))
        written.update(rationale.problem_id for rationale in rundir.rationales(cycle))
    taught = taught or written
    if not taught:
        raise InputError(f"{rundir.path}: nothing has been taught yet; name a problem of problems.jsonl with --problem")
    return max(taught, key=lambda problem: (asked[problem], taught[problem]))


def _find(rundir: RunDir, problem_id: str) -> Problem:
    """Return a problem by its id or the beginning of it."""
    fresh = [one.problem for cycle in range(len(rundir.reports()) + 1) for one in rundir.fresh(cycle) or ()]
    every = [*fresh, *(problem for some in rundir.problems().values() for problem in some)]
    problems = list({problem.id: problem for problem in every}.values())
    found = [p for p in problems if p.id == problem_id] or [p for p in problems if p.id.startswith(problem_id)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"--problem {problem_id}: {len(found)} problems begin so; give more of the id")
    raise InputError(f"--problem {problem_id}: no such problem in {rundir.path}; {_near(problem_id, problems)}")


def _near(problem_id: str, problems: list[Problem]) -> str:
    remedy = did_you_mean(problem_id, [p.id for p in problems])
    return remedy if remedy.startswith("did") else "the ids are in problems.jsonl"


def _life(rundir: RunDir, problem: Problem, cycle: int) -> Iterator[dict[str, Any]]:
    """Yield what happened to a problem in a cycle, in the order of the nodes."""
    attempts = rundir.attempts(cycle, problem.id)
    plan, diagnosis = rundir.plan(cycle), rundir.diagnosis(cycle)
    lessons = rundir.lessons(cycle, problem.id)
    candidate = str(Path("checkpoints") / f"cycle-{cycle:03d}")
    yield from (_attempt(a) for a in attempts if a.student != candidate)
    if diagnosis:
        yield from _diagnosis(diagnosis, problem)
    for assignment in plan.assignments if plan else ():
        if assignment.problem_id == problem.id:
            routed = {"scores": dict(assignment.scores)} if assignment.scores else {}
            told = {"text": assignment.reason, "teachers": list(assignment.teachers), **routed}
            yield {"cycle": cycle, "kind": "plan", "agent": "planner", **told}
    written = rundir.rationales(cycle, problem.id)  # on disk in the order they came
    asked = [name for a in (plan.assignments if plan else ()) if a.problem_id == problem.id for name in a.teachers]
    order = {name: place for place, name in reversed(list(enumerate(asked)))}
    for rationale in sorted(written, key=lambda r: (order.get(r.teacher, len(order)), r.draft, r.revision)):
        yield from _rationale(rundir, rationale)
    for decision in rundir.decisions(cycle, problem.id):
        if len(decision.candidates) > 1 or decision.fallback or decision.conflict:
            yield _decision(decision)
    for lesson in lessons:
        yield _lesson(lesson)
    for strategy in rundir.strategies(cycle) or ():
        if strategy.cycle == cycle and problem.id in strategy.problem_ids:
            told = {"weakness": strategy.weakness, "example": strategy.example, "rationale_id": strategy.rationale_id}
            yield {"cycle": cycle, "kind": "strategy", "agent": strategy.teacher, "text": strategy.text, **told}
    yield from (_attempt(a) for a in attempts if a.student == candidate)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    shown = attempt.model_dump(mode="json", exclude={"text", "cycle", "problem_id"})
    return {"cycle": attempt.cycle, "kind": "attempt", "agent": attempt.student, "text": attempt.text, **shown}


def _diagnosis(diagnosis: Diagnosis, problem: Problem) -> Iterator[dict[str, Any]]:
    shared = {"cycle": diagnosis.cycle, "kind": "diagnosis", "agent": "diagnostician"}
    for skill in diagnosis.discovered:
        if problem.id in skill.problem_ids:
            yield {**shared, "text": skill.description or skill.name, "skill": skill.name}
    (problem,) = tagged([problem], diagnosis.discovered)
    for weakness in diagnosis.weaknesses:
        if weakness.name in problem.skills:
            yield {
                **shared,
                "text": weakness.description or weakness.name,
                "weakness": weakness.name,
                "pass_rate": weakness.pass_rate,
                "support": weakness.support,
                "confirmed": weakness.confirmed,
            }


def _rationale(rundir: RunDir, rationale: Rationale) -> Iterator[dict[str, Any]]:
    if rationale.revision == 0:
        yield from _recalls(rundir, rationale)
    kind = "draft" if rationale.revision == 0 else "refinement"
    shared = {"cycle": rationale.cycle, "agent": rationale.teacher, "rationale_id": rationale.id}
    scores = {"scores": dict(rationale.scores)} if rationale.scores else {}
    seen = dict(rationale.conditioned_on)
    yield {**shared, "kind": kind, "text": rationale.text, "conditioned_on": seen, **scores}
    wrong = rationale.wrong_step.model_dump(mode="json") if rationale.wrong_step else None
    verdict = "verified" if rationale.verified else f"rejected: {rationale.rejected}"
    yield {**shared, "kind": "check", "text": verdict, "verified": rationale.verified, "wrong_step": wrong}
    if rationale.critique or rationale.critic_failure:
        told = rationale.critique or f"failed: {rationale.critic_failure}"
        yield {**shared, "kind": "critique", "agent": "critic", "text": told}


def _recalls(rundir: RunDir, rationale: Rationale) -> Iterator[dict[str, Any]]:
    wanted = rationale.conditioned_on.get("recalled", ())
    if not wanted:
        return
    rows = list(jsonl.read(rundir.memory / "errors.jsonl"))
    errors = {row["id"]: row for row in rows if row.get("kind") == "error"}
    for error_id in wanted:
        outcomes = [r for r in rows if r.get("kind") == "outcome" and r["error_id"] == error_id]
        known = [r for r in outcomes if r["cycle"] <= rationale.cycle]
        error = errors.get(error_id, {})
        fate = next((r for r in reversed(known) if r["fixed"]), known[-1] if known else None)  # as memory tells it
        yield {
            "cycle": rationale.cycle,
            "kind": "recall",
            "agent": "memory",
            "text": error.get("attempt", ""),
            "error_id": error_id,
            "question": error.get("question", ""),
            "wrong_step": error.get("wrong_step"),
            "taught": fate["taught"] if fate else None,
            "fixed": fate["fixed"] if fate else None,
        }


def _decision(decision: Decision) -> dict[str, Any]:
    text = f"{len(decision.chosen)} of {len(decision.candidates)} verified rationales taught"
    text += f"; the teachers' {decision.conflict} differ" if decision.conflict else ""
    text += f"; {decision.fallback}" if decision.fallback else ""
    row = decision.model_dump(mode="json", exclude={"problem_id", "purifier"})
    over = [name for name in decision.candidates if name not in decision.chosen]
    return {**row, "kind": "purification", "agent": decision.purifier, "text": text, "over": over}


def _lesson(lesson: Lesson) -> dict[str, Any]:
    shared = {"cycle": lesson.cycle, "rationale_id": lesson.rationale_id}
    return {**shared, "kind": "lesson", "agent": lesson.origin, "text": lesson.text, "weight": lesson.weight}
