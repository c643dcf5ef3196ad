"""The planner `replay`: who enters the buffer, who leaves it, and who is evicted."""

from __future__ import annotations

from typing import Any

from tutelage.agents.planners.replay import ReplayPlanner
from tutelage.schema import Attempt, LessonPlan
from tutelage.testing.planning import make_attempt, make_diagnosis, make_problems, make_request


def exam(cycle: int, student: str = "base", **scores: float) -> list[Attempt]:
    return [make_attempt(name, score, cycle, student=student) for name, score in scores.items()]


def plan(*exams: list[Attempt], earlier: int = 0, lessons: int = 20, **options: Any) -> LessonPlan:
    before = [attempt for some in exams[:earlier] for attempt in some]
    now = [attempt for some in exams[earlier:] for attempt in some]
    request = make_request(make_problems(p=9), lessons, make_diagnosis(), attempts=now, earlier_attempts=before)
    return ReplayPlanner(**{"fill": False, **options}).plan(request)


def ids(made: LessonPlan) -> list[str]:
    return [one.problem_id for one in made.assignments]


def test_a_wrong_problem_enters_and_a_right_one_does_not() -> None:
    made = plan(exam(1, p0=0.0, p1=1.0, p2=0.5))  # half right is not right
    assert ids(made) == ["p0", "p2"]
    assert made.assignments[0].reason == "right in 0.00 of its last 1 attempts"


def test_it_leaves_when_its_pass_rate_reaches_one_half() -> None:
    assert ids(plan(exam(1, p0=0.0), exam(2, p0=0.0))) == ["p0"]
    assert ids(plan(exam(1, p0=0.0), exam(2, p0=0.0), exam(3, p0=1.0))) == ["p0"]  # a third
    assert ids(plan(exam(1, p0=0.0), exam(2, p0=0.0), exam(3, p0=1.0), exam(4, p0=1.0))) == []
    assert ids(plan(exam(1, p0=0.0), exam(2, p0=1.0))) == []


def test_only_recent_attempts_count() -> None:
    wrong, right = [exam(c, p0=0.0) for c in range(1, 7)], [exam(c, p0=1.0) for c in (7, 8)]
    assert ids(plan(*wrong, *right)) == []  # two of the last four
    assert ids(plan(*wrong, *right, window=8)) == ["p0"]
    assert plan(*wrong, *right, window=8).assignments[0].reason == "right in 0.25 of its last 8 attempts"


def test_one_slip_after_many_right_answers_does_not_bring_it_back() -> None:
    assert ids(plan(exam(1, p0=1.0), exam(2, p0=1.0), exam(3, p0=0.0))) == []
    assert ids(plan(exam(1, p0=1.0), exam(2, p0=0.0), exam(3, p0=0.0))) == ["p0"]


def test_attempts_of_the_students_before_count() -> None:
    before, now = exam(1, p0=0.0, p1=0.0), exam(2, "checkpoints/cycle-001", p0=1.0)
    assert ids(plan(before, now, earlier=1)) == ["p1"]
    # In one cycle the student before sits first.
    assert ids(plan(exam(1, p0=0.0), exam(1, "checkpoints/cycle-001", p0=1.0), earlier=1, window=1)) == []


def test_the_longest_waiting_return_first_and_are_evicted_first() -> None:
    exams = [exam(1, p5=0.0, p3=0.0), exam(2, p4=0.0, p1=1.0), exam(3, p2=0.0)]
    assert ids(plan(*exams)) == ["p3", "p5", "p4", "p2"]
    assert ids(plan(*exams, lessons=2)) == ["p3", "p5"]
    assert ids(plan(*exams, capacity=3)) == ["p5", "p4", "p2"]
    assert ids(plan(*exams, capacity=2)) == ["p4", "p2"]
    assert ids(plan(*exams, exam(4, p3=0.0), capacity=2)) == ["p2", "p3"]  # wrong once more, it enters anew


def test_a_problem_that_stays_wrong_keeps_its_place() -> None:
    assert ids(plan(exam(1, p3=0.0), exam(2, p1=0.0), exam(3, p3=0.0))) == ["p3", "p1"]


def test_open_lessons_are_drawn_from_the_rest() -> None:
    made = plan(exam(1, p0=0.0, p1=1.0), fill=True, lessons=4)
    assert ids(made)[0] == "p0" and len(set(ids(made))) == 4
    assert {one.reason for one in made.assignments[1:]} <= {"room left, predicted 0.50", "room left, predicted 0.67"}
