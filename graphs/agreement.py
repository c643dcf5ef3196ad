"""Agreement: how often the student says what its teachers said, beside how often it says what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..answers import same
from ..schema import Agreement, Attempt, Problem, Split
from ..training.alarm import Exam, teacher_hacking
from .context import RunContext
from .exam import Writer, examine_split
from .state import CycleState


async def measure_agreement(
    context: RunContext, write: Writer, state: CycleState, after: Sequence[Attempt]
) -> Agreement | None:
    """Compare a candidate's answers to what it was taught with its teachers' answers and with the gold ones.

    Where all teachers' answers are the gold ones, as where every rationale is checked against them, both figures are
    one by construction. Elsewhere the student before the training is examined on the same problems too, and an alarm is
    given, as an event and in the report, if it has moved to its teachers and away from gold by more than chance.

    Args:
        context: The run.
        write: Takes the events.
        state: The cycle's.
        after: The candidate's answers to train problems.

    Returns:
        None if no problem was taught by a teacher whose answer is known.
    """
    cycle, teachers = state["cycle"], teachers_answers(context, state["cycle"])
    taught = [attempt for attempt in after if attempt.problem_id in teachers]
    if not taught:
        return None
    gold = {problem.id: problem for problem in context.problems[Split.TRAIN]}
    problems = [gold[attempt.problem_id] for attempt in taught]
    found, alarm = compare(taught, problems, teachers), None
    alpha = context.config.gate.alpha
    wrong = sum(not same(teachers[problem.id], problem.answer) for problem in problems)
    if 0.5**wrong < alpha:  # on fewer, no move from gold to the teachers could be told from chance
        asked = await examine_split(
            context, write, cycle=cycle, student=state["student"], split=Split.TRAIN, problems=problems
        )
        alarm = teacher_hacking(compare(asked, problems, teachers), found, alpha)
    if alarm:
        write({"kind": "alarm", "cycle": cycle, "text": alarm})
    n = len(taught)
    return Agreement(n=n, with_teachers=sum(found.agrees) / n, with_gold=sum(found.right) / n, alarm=alarm)


def teachers_answers(context: RunContext, cycle: int) -> dict[str, str]:
    """Return the final answer of what a cycle taught, by problem; of several lessons, the first one's."""
    answers = {rationale.id: rationale.answer for rationale in context.rundir.rationales(cycle)}
    lessons = [lesson for lesson in context.rundir.lessons(cycle) if lesson.rationale_id]
    found = {lesson.problem_id: answers.get(lesson.rationale_id or "") for lesson in reversed(lessons)}
    return {problem: answer for problem, answer in found.items() if answer is not None}


def compare(attempts: Sequence[Attempt], problems: Sequence[Problem], teachers: Mapping[str, str]) -> Exam:
    """Compare answers, as texts or as numbers, with the teachers' and with the gold ones.

    The task's grader is not asked: it has let the teachers' answers through.

    Args:
        attempts: One answer to each problem.
        problems: In the same order.
        teachers: The teachers' answers, by problem.
    """
    said = [attempt.answer or "" for attempt in attempts]
    return Exam(
        agrees=[same(one, teachers[problem.id]) for one, problem in zip(said, problems, strict=True)],
        right=[same(one, problem.answer) for one, problem in zip(said, problems, strict=True)],
    )
