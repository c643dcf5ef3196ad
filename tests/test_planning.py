"""What a planner is told of a student's line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tutelage.graphs.planning import Past
from tutelage.rundir import RunDir
from tutelage.schema import BASE, CycleReport, Rationale, Verdict
from tutelage.testing.planning import make_attempt, make_diagnosis, make_problems

FIRST, SECOND = "checkpoints/cycle-001", "checkpoints/cycle-003"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """The third cycle's student came from the first one's; the second cycle was rolled back."""
    context: Any = SimpleNamespace(rundir=RunDir(tmp_path), count_tokens=len)
    made = [(1, FIRST, BASE), (3, SECOND, FIRST)]
    line = [
        CycleReport(cycle=cycle, student=student, parent=parent, accuracy={}, n={}, verdict=Verdict.ACCEPTED, why="")
        for cycle, student, parent in made
    ]
    return Past(context, line)


def rationale(problem_id: str, verified: bool, number: int = 0) -> Rationale:
    return Rationale(id=f"{problem_id}-{number}", problem_id=problem_id, text="x", verified=verified)


def test_teachers_are_rated_by_the_problems_that_they_were_asked_about(past: Past) -> None:
    problems = make_problems(a=3, b=2, a_b=1, c=1)
    rundir = past.context.rundir
    rundir.add_rationales(1, [rationale("a0", True), rationale("a0", False, 1), rationale("a1", False)])
    rundir.add_rationales(2, [rationale("c0", True)])  # was rolled back: not in the line
    rundir.add_rationales(3, [rationale("b0", False), rationale("b0", False, 1), rationale("a_b0", True)])
    # a: a0, a_b0 of a0, a1, a_b0; b: a_b0 of b0, a_b0; a2, b1 and c0 were not asked about.
    assert past.teacher_rates(problems) == {"a": pytest.approx(2 / 3), "b": 0.5}


def test_diagnoses_and_attempts_are_those_of_the_line(past: Past) -> None:
    rundir = past.context.rundir
    for cycle, student in ((1, BASE), (2, FIRST), (3, FIRST), (4, SECOND)):
        rundir.write_diagnosis(make_diagnosis(cycle=cycle, student=student))
    assert [one.cycle for one in past.diagnoses(4)] == [1, 2, 3]
    assert [one.cycle for one in past.diagnoses(2)] == [1]
    rundir.add_attempts(1, [make_attempt("a0", 1.0, 1, student=FIRST), make_attempt("a0", 0.0, 1)])
    rundir.add_attempts(2, [make_attempt("a1", 1.0, 2, student="checkpoints/cycle-002")])
    rundir.add_attempts(3, [make_attempt("a0", 0.0, 3, student=SECOND), make_attempt("a2", 0.0, 3, student=FIRST)])
    found = [(one.problem_id, one.student, one.cycle) for one in past.attempts(4)]
    assert found == [("a0", BASE, 1), ("a0", FIRST, 1), ("a2", FIRST, 3)]  # the student before sits first
