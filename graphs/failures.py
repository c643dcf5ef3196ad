"""The student's own wrong answers to train problems: what teachers are shown, and what a lesson may be set against."""

from __future__ import annotations

from collections import defaultdict

from ..lineage import lineage
from ..schema import BASE, Attempt, Split
from .context import RunContext


def failed_attempts(context: RunContext, student: str, cycle: int) -> dict[str, list[Attempt]]:
    """Return the wrong answers of this student and of those it came from, the latest first.

    What this student now answers right is no failure any more, and the answers of a student that it did not come from
    are nobody's.
    """
    line = [BASE, *(report.student for report in lineage(context.rundir.reports(), student))]
    attempts = [a for c in range(cycle + 1) for a in context.rundir.attempts(c) if a.split is Split.TRAIN]
    mended = {a.problem_id for a in attempts if a.student == student and a.correct}
    failed: dict[str, list[Attempt]] = defaultdict(list)
    for one in reversed(line):
        for attempt in attempts:
            if attempt.student == one and not attempt.correct and attempt.problem_id not in mended:
                failed[attempt.problem_id].append(attempt)
    return failed
