"""Diagnose: group the student's errors into weaknesses, test each, and write the errors to memory."""

from __future__ import annotations

from langgraph.runtime import Runtime

from ..lineage import lineage
from ..model_thread import on_model_thread
from ..schema import BASE, Attempt, Diagnosis, Split, Weakness
from ..tagging import tagged
from .confirm import asked_afresh, confirm_weaknesses
from .context import RunContext
from .describe import described
from .exam import known_attempts
from .notices import caveats
from .prerequisites import known_skills
from .state import CycleState
from .step import step


@step
async def diagnose(state: CycleState, runtime: Runtime[RunContext]) -> CycleState:
    """Name the weaknesses of the current student from its attempts on the probe and train splits."""
    context, cycle, student = runtime.context, state["cycle"], state["student"]
    splits = (Split.PROBE, Split.TRAIN, Split.CHECK)  # what may be asked; of the last there is no answer here
    problems = {p.id: p for split in splits for p in context.problems.get(split, ())}
    if cycle == 1:
        skills = known_skills(context.problems)
        for told in caveats(context.task, context.diagnostician, context.config, skills):
            runtime.stream_writer({"kind": "note", "cycle": cycle, "text": told})
    afresh = asked_afresh(context, cycle, student)
    attempts = [
        attempt
        for split in (Split.PROBE, Split.TRAIN)
        for attempt in known_attempts(context, student, split, cycle).values()
        if attempt.problem_id not in afresh
    ]
    diagnosis = context.rundir.untested(cycle)  # of a run that ended while its weaknesses were tested
    if diagnosis is None:
        diagnosis = context.diagnostician.diagnose(problems, attempts, earlier_diagnoses(context, cycle, student))
        diagnosis = diagnosis.model_copy(update={"cycle": cycle, "student": student})
        context.rundir.write_untested(diagnosis)
    diagnosis = await confirm_weaknesses(context, runtime.stream_writer, diagnosis)
    problems = {problem.id: problem for problem in tagged(problems.values(), diagnosis.discovered)}
    diagnosis = await described(context, runtime.stream_writer, diagnosis, problems)
    context.rundir.write_diagnosis(diagnosis)
    errors = [a for a in attempts if not a.correct]
    found = [(problems[a.problem_id], a, name_weakness(diagnosis, a, problems[a.problem_id].skills)) for a in errors]
    await on_model_thread(context.memory.record_errors, found)
    fields = {"name", "pass_rate", "support"}
    named = [{**w.model_dump(include=fields), "confirmed": w.confirmed} for w in diagnosis.weaknesses]
    runtime.stream_writer({"kind": "diagnosis", "cycle": cycle, "weaknesses": named})
    return CycleState(cycle=cycle)


def earlier_diagnoses(context: RunContext, cycle: int, student: str) -> list[Diagnosis]:
    """Return what a diagnostician is told of the cycles before.

    The diagnoses of those the student came from come last. The others, before them, are there for the names they gave,
    and without mastery: a student that is diagnosed again after a rollback brings its evidence with it.
    """
    line = {BASE, *(report.student for report in lineage(context.rundir.reports(), student))} - {student}
    every = [found for c in range(1, cycle) if (found := context.rundir.diagnosis(c))]
    others = [found.model_copy(update={"mastery": ()}) for found in every if found.student not in line]
    return [*others, *(found for found in every if found.student in line)]


def name_weakness(diagnosis: Diagnosis, attempt: Attempt, skills: tuple[str, ...]) -> str | None:
    """Return the weakness that an attempt shows: its wrong step's skill, else the most severe among the problem's.

    One that a test has refuted is none.
    """
    weak: dict[str, Weakness] = {w.name: w for w in diagnosis.taught}
    if attempt.wrong_step and attempt.wrong_step.skill in weak:
        return attempt.wrong_step.skill
    return next((name for name in weak if name in skills), None)
