"""Which student, and which cycles, an export is about."""

from __future__ import annotations

from ..errors import InputError
from ..lineage import best_student, lineage
from ..rundir import RunDir
from ..schema import BASE, CycleReport


def chosen_student(rundir: RunDir, cycle: int | None) -> CycleReport:
    """Return the report of the cycle that made a student: the best one, or that of a cycle.

    Raises:
        InputError: If there is no such cycle, or it made no student.
    """
    if cycle is not None:
        return _made_in(rundir, cycle)
    reports = rundir.reports()
    best = best_student(reports)
    made = [report for report in reports if report.student == best != BASE]
    if not made:
        raise InputError(
            f"{rundir.path}: no student was accepted that is better than the base student; name a cycle with --cycle"
        )
    return made[0]


def _made_in(rundir: RunDir, cycle: int) -> CycleReport:
    for report in rundir.reports():
        if report.cycle == cycle and report.cycle and report.accuracy:  # a cycle that trained none examined none
            return report
    made = [str(report.cycle) for report in rundir.reports() if report.cycle and report.accuracy]
    raise InputError(f"--cycle {cycle}: made no student; those that did: {', '.join(made) or 'none'}")


def taught_cycles(rundir: RunDir, cycle: int | None, everything: bool) -> list[int]:
    """Return the cycles whose lessons are meant, the first first.

    Args:
        rundir: The run.
        cycle: One of them alone; None for those of the best student's line.
        everything: All of them, rolled back or not.

    Raises:
        InputError: If there are no lessons.
    """
    known = sorted(int(path.stem.removeprefix("cycle-")) for path in (rundir.path / "lessons").glob("cycle-*.jsonl"))
    if cycle is not None and cycle not in known:
        raise InputError(f"--cycle {cycle}: has no lessons; cycles with some: {', '.join(map(str, known)) or 'none'}")
    if not known:
        raise InputError(f"{rundir.path}: nothing has been taught yet; let the run finish a cycle")
    if cycle is not None:
        return [cycle]
    if everything:
        return known
    reports = rundir.reports()
    line = [report.cycle for report in lineage(reports, best_student(reports))]
    if not line:
        raise InputError(f"{rundir.path}: no lessons made a better student; take --all, or one cycle with --cycle")
    return [one for one in line if one in known]
