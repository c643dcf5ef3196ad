"""One problem's life: attempts, diagnosis, recalls, drafts, checks, lesson, what followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..rundir import RunDir
from ..schema import (
    SCHEMA_VERSION,
    Assignment,
    Attempt,
    CycleReport,
    Decision,
    Lesson,
    Problem,
    Rationale,
    ReviewVerdict,
    Strategy,
    Verdict,
)
from .falls import fall_event, falls
from .find import every_problem, find, most_asked
from .problems import skills_by_problem
from .rows import CycleRows, Journal, cycles_of, read_cycle
from .suspects import Suspects


def trace(rundir: RunDir, problem_id: str | None = None) -> dict[str, Any]:
    """Return one problem's life as `tutelage trace --json` prints it.

    Args:
        rundir: The run.
        problem_id: An id, or the beginning of one; None takes a taught one that tells most.

    Raises:
        InputError: If the run has no such problem.
    """
    problems = every_problem(rundir)
    split, problem = problems[find(rundir, problems, problem_id) if problem_id is not None else most_asked(rundir)]
    reports = rundir.reports()
    journal = Journal(rundir)
    cycles = [read_cycle(rundir, cycle, of=problem.id) for cycle in cycles_of(rundir)]
    attempts = [attempt for rows in cycles for attempt in rows.attempts.get(problem.id, ())]
    fallen = {fall.cycle: fall for fall in falls(attempts, reports)}
    diagnoses = [rows.diagnosis for rows in cycles if rows.diagnosis]
    skills = skills_by_problem(problems, diagnoses) if fallen else {}
    events: list[dict[str, Any]] = []
    for rows in cycles:
        events += life_in(rows, problem, journal)
        events += undone_events(rows, problem, reports)
        if rows.cycle in fallen:
            lessons = Suspects(rundir.lessons(rows.cycle), skills)
            events.append(fall_event(fallen[rows.cycle], problem, lessons))
    shown = problem.model_dump(mode="json")
    return {"schema": SCHEMA_VERSION, "problem": shown, "split": split.value, "events": events}


def life_in(
    rows: CycleRows, problem: Problem, journal: Journal, every_decision: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield what happened to a problem in a cycle, in the order of the nodes.

    Decisions that had nothing to choose between are left out unless every one is wanted.
    """
    attempts = rows.attempts.get(problem.id, [])
    yield from (_attempt(a) for a in attempts if a.student != rows.candidate)
    yield from _diagnosis(rows, problem)
    assigned = rows.assignments.get(problem.id, [])
    yield from (_plan(rows.cycle, assignment) for assignment in assigned)
    asked = [name for assignment in assigned for name in assignment.teachers]
    order = {name: place for place, name in reversed(list(enumerate(asked)))}
    by_hand = {  # what a person wrote, the review shows; a teacher may be called like a person
        (review.title, review.after)
        for review in rows.reviews.get(problem.id, ())
        if review.verdict is ReviewVerdict.EDITED
    }
    known = rows.rationales.get(problem.id, ())  # in the order they came
    written = [one for one in known if (one.teacher, one.text) not in by_hand]
    for rationale in sorted(written, key=lambda r: (order.get(r.teacher, len(order)), r.draft, r.revision)):
        yield from _rationale(rationale, journal)
    for decision in rows.decisions.get(problem.id, ()):
        if every_decision or len(decision.candidates) > 1 or decision.fallback or decision.conflict:
            yield _decision(decision)
    yield from _reviews(rows, problem)
    yield from (_lesson(lesson) for lesson in rows.lessons.get(problem.id, ()))
    yield from (_strategy(strategy) for strategy in rows.strategies if problem.id in strategy.problem_ids)
    yield from (_attempt(a) for a in attempts if a.student == rows.candidate)


def undone_events(rows: CycleRows, problem: Problem, reports: Iterable[CycleReport]) -> Iterator[dict[str, Any]]:
    """Yield that a cycle was rolled back, if it had a lesson for the problem: the student is as before it."""
    report = next((one for one in reports if one.cycle == rows.cycle), None)
    if report and report.verdict is Verdict.ROLLED_BACK and rows.lessons.get(problem.id):
        yield {"cycle": rows.cycle, "kind": "rolled back", "agent": "gate", "text": report.why}


def _plan(cycle: int, assignment: Assignment) -> dict[str, Any]:
    routed = {"scores": dict(assignment.scores)} if assignment.scores else {}
    told = {"text": assignment.reason, "teachers": list(assignment.teachers), **routed}
    return {"cycle": cycle, "kind": "plan", "agent": "planner", **told}


def _strategy(strategy: Strategy) -> dict[str, Any]:
    told = {"weakness": strategy.weakness, "example": strategy.example, "rationale_id": strategy.rationale_id}
    return {"cycle": strategy.cycle, "kind": "strategy", "agent": strategy.teacher, "text": strategy.text, **told}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    shown = attempt.model_dump(mode="json", exclude={"text", "cycle", "problem_id"})
    return {"cycle": attempt.cycle, "kind": "attempt", "agent": attempt.student, "text": attempt.text, **shown}


def _diagnosis(rows: CycleRows, problem: Problem) -> Iterator[dict[str, Any]]:
    shared = {"cycle": rows.cycle, "kind": "diagnosis", "agent": "diagnostician"}
    kinds = rows.kinds.get(problem.id, [])
    for skill in kinds:
        yield {**shared, "text": skill.description or skill.name, "skill": skill.name}
    skills = problem.skills or tuple(skill.name for skill in kinds)
    for weakness in rows.diagnosis.weaknesses if rows.diagnosis else ():
        if weakness.name in skills:
            yield {
                **shared,
                "text": weakness.description or weakness.name,
                "weakness": weakness.name,
                "pass_rate": weakness.pass_rate,
                "support": weakness.support,
                "confirmed": weakness.confirmed,
            }


def _rationale(rationale: Rationale, journal: Journal) -> Iterator[dict[str, Any]]:
    if rationale.revision == 0:
        yield from _recalls(rationale, journal)
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


def _recalls(rationale: Rationale, journal: Journal) -> Iterator[dict[str, Any]]:
    for error_id in rationale.conditioned_on.get("recalled", ()):
        error, fate = journal.errors.get(error_id, {}), journal.fate(error_id, rationale.cycle)
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
    over = [name for name in decision.candidates if name not in decision.chosen]
    text = _taught(decision, len(decision.candidates) - len(over))
    text += f"; the teachers' {decision.conflict} differ" if decision.conflict else ""
    text += f"; {decision.fallback}" if decision.fallback else ""
    row = decision.model_dump(mode="json", exclude={"problem_id", "purifier"})
    return {**row, "kind": "purification", "agent": decision.purifier, "text": text, "over": over}


def _taught(decision: Decision, kept: int) -> str:
    """Say what is taught: of the rationales that there were, and of the purifier's own texts."""
    count, own = len(decision.candidates), len(decision.chosen) - kept
    texts = "its own text" if own == 1 else f"{own} texts of its own"
    if own and not kept:
        return f"{texts} taught over {count} verified rationales"
    return f"{kept} of {count} verified rationales taught" + (f", and {texts}" if own else "")


def _reviews(rows: CycleRows, problem: Problem) -> Iterator[dict[str, Any]]:
    """Yield what waits for a person, and what a person decided."""
    reviews = rows.reviews.get(problem.id, [])
    decided = {review.rationale_id for review in reviews}
    for lesson in rows.proposals.get(problem.id, ()):
        if lesson.rationale_id not in decided and not rows.lessons:
            yield {**_lesson(lesson), "kind": "proposal"}
    for review in reviews:
        row = review.model_dump(mode="json", exclude={"problem_id", "author"})
        text = f"{review.verdict}: {review.why}" if review.why else review.verdict.value
        yield {**row, "kind": "review", "agent": review.author, "text": text}


def _lesson(lesson: Lesson) -> dict[str, Any]:
    shared = {"cycle": lesson.cycle, "rationale_id": lesson.rationale_id}
    return {**shared, "kind": "lesson", "agent": lesson.origin, "text": lesson.text, "weight": lesson.weight}
