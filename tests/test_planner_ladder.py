"""The planner `ladder`: the gap rule, the stages, the step limit and the remedial rule."""

from __future__ import annotations

from typing import Any

import pytest

from tutelage.agents.planners.ladder import LadderPlanner
from tutelage.schema import LessonPlan
from tutelage.testing.planning import make_attempt, make_diagnosis, make_problems, make_request

CHAIN = {"b": ("a",), "c": ("b",)}


def plan(means: dict[str, float], lessons: int = 6, sizes: dict[str, int] | None = None, **more: Any) -> LessonPlan:
    options = more.pop("options", {})
    found = make_diagnosis(means, refuted=more.pop("refuted", ()), prerequisites=CHAIN)
    pool = make_problems(**(sizes or {"a": 20, "b": 20, "c": 20}))
    return LadderPlanner(**options).plan(make_request(pool, lessons, found, **more))


def skills(made: LessonPlan) -> set[str]:
    return {one.problem_id.rstrip("0123456789") for one in made.assignments}


def test_the_lowest_stage_that_is_deficient_is_taught() -> None:
    assert skills(plan({"a": 0.95, "b": 0.5, "c": 0.1})) == {"b"}
    assert skills(plan({"a": 0.4, "b": 0.5, "c": 0.1})) == {"a"}
    made = plan({"a": 0.95, "b": 0.5, "c": 0.1})
    assert made.assignments[0].reason == "first work at stage 2: b has a gap of 0.50"


def test_the_gap_is_relative_to_the_teachers() -> None:
    # D(b) = (0.6 - 0.45) / 0.6 = 0.25: no more than 0.3, so b is passed over; alone, D would be 0.55.
    assert skills(plan({"a": 0.95, "b": 0.45, "c": 0.1}, teacher_rates={"b": 0.6})) == {"c"}
    assert skills(plan({"a": 0.95, "b": 0.45, "c": 0.1}, teacher_rates={"b": 0.8})) == {"b"}
    # What no teacher can do is no gap, and nothing divides by zero.
    assert skills(plan({"a": 0.95, "b": 0.1, "c": 0.2}, teacher_rates={"b": 0.0})) == {"c"}


def test_a_stage_is_left_at_the_mastery_threshold_and_not_at_the_gap() -> None:
    earlier = [make_diagnosis({"a": 0.95, "b": 0.3, "c": 0.1})]
    # 0.8 is above 1 - gap, so b would not become deficient now; it was, and 0.9 is not reached.
    made = plan({"a": 0.95, "b": 0.8, "c": 0.1}, earlier=earlier, taught={"b3": 1})
    assert {one.reason.split(":")[0] for one in made.assignments} == {"remedial work at stage 2"}
    assert skills(plan({"a": 0.95, "b": 0.8, "c": 0.1})) == {"c"}
    assert skills(plan({"a": 0.95, "b": 0.91, "c": 0.1}, earlier=earlier)) == {"c"}


def test_remedial_work_is_of_the_skills_that_fall_short_alone() -> None:
    # b and d share a stage; d has reached the threshold, b has not.
    found = make_diagnosis({"a": 0.95, "b": 0.5, "d": 0.92}, prerequisites={"b": ("a",), "d": ("a",)})
    request = make_request(
        make_problems(b=10, d=10), 5, found, earlier=[make_diagnosis({"b": 0.2, "d": 0.2})], taught={"b0": 1, "d0": 1}
    )
    made = LadderPlanner(fill=False).plan(request)
    assert {one.problem_id[0] for one in made.assignments} == {"b"}
    assert all(one.reason == "remedial work at stage 2: b has a gap of 0.50" for one in made.assignments)


def test_no_step_is_larger_than_the_limit_from_what_is_mastered() -> None:
    # a is mastered at 0.90; d, at 0.8, is within a step of it, and b, at 0.7, is not.
    edges = {"b": ("a",), "d": ("a",)}
    earlier = [make_diagnosis({"a": 0.9, "b": 0.3, "d": 0.3})]
    found = make_diagnosis({"a": 0.901, "b": 0.7, "d": 0.8}, prerequisites=edges)
    made = LadderPlanner().plan(make_request(make_problems(a=10, b=20, d=20), 40, found, earlier=earlier))
    assert [one.problem_id[0] for one in made.assignments] == ["d"] * 20 + ["a"] * 10  # then review
    assert made.assignments[-1].reason == "review within a step: predicted 0.90"


def test_where_nothing_mastered_is_near_the_step_is_from_the_easiest_of_the_stage() -> None:
    # The gap itself is 0.8; d is at 0.5, so that b, at 0.2, is out of reach.
    found = make_diagnosis({"a": 0.95, "b": 0.2, "d": 0.5}, prerequisites={"b": ("a",), "d": ("a",)})
    request = make_request(make_problems(a=5, b=20, d=20), 40, found)
    assert {one.problem_id[0] for one in LadderPlanner(fill=False).plan(request).assignments} == {"d"}
    assert len(LadderPlanner(fill=False, step=0.3).plan(request).assignments) == 40


def test_the_easiest_of_the_stage_is_what_its_weakest_skill_makes_it() -> None:
    # b alone would be at 0.6, but comes only together with a, which is at 0.2.
    found = make_diagnosis({"a": 0.2, "b": 0.6, "d": 0.25}, prerequisites={"b": ("c",), "d": ("c",)})
    made = LadderPlanner(fill=False).plan(make_request(make_problems(a_b=5, d=5), 10, found))
    assert {one.problem_id[0] for one in made.assignments} == {"a", "d"}


@pytest.mark.parametrize("rate", [0.2, 0.45, 0.6, 0.69])
@pytest.mark.parametrize("right", [0, 1, 19])
def test_single_answers_put_nothing_within_a_step_or_out_of_it(rate: float, right: int) -> None:
    attempts = [make_attempt(f"b{number}", float(number < right)) for number in range(20)]
    made = plan({"a": 0.95, "b": rate}, 20, {"a": 5, "b": 20}, attempts=attempts, options={"fill": False})
    taught = [one.problem_id for one in made.assignments]
    assert len(taught) == 20
    assert {*taught[:right]} == {f"b{number}" for number in range(right)}  # the easiest first


def test_what_no_teacher_can_explain_is_neither_mastered_nor_reviewed() -> None:
    found = make_diagnosis({"a": 0.95, "b": 0.6, "d": 0.1, "z": 0.05}, prerequisites={"b": ("a",), "d": ("a",)})
    request = make_request(make_problems(a=5, b=5, d=5, z=5), 20, found, teacher_rates={"z": 0.0})
    assert {one.problem_id[0] for one in LadderPlanner().plan(request).assignments} == {"a", "b"}


def test_a_problem_belongs_to_the_latest_of_its_deficient_skills() -> None:
    means = {"a": 0.4, "b": 0.4, "c": 0.4}
    assert skills(plan(means, 6, {"a_c": 5, "a_b": 5})) == {"a_b"}  # stage 1 has no problems of its own


def test_a_student_that_has_mastered_everything_gets_review() -> None:
    made = plan({"a": 0.95, "b": 0.9, "c": 0.92})
    assert len(made.assignments) == 6
    assert all(one.reason.startswith("review within a step: predicted 0.9") for one in made.assignments)
    assert not plan({"a": 0.95, "b": 0.9, "c": 0.92}, options={"fill": False}).assignments


def test_a_refuted_weakness_does_not_hold_up_the_ladder() -> None:
    assert skills(plan({"a": 0.2, "b": 0.5, "c": 0.1}, refuted=["a"])) == {"b"}


@pytest.mark.parametrize("accuracy", [0.1, 0.65])
def test_skills_that_nobody_examined_are_as_weak_as_all(accuracy: float) -> None:
    request = make_request(make_problems(new=5), 3, make_diagnosis(accuracy=accuracy))
    assert LadderPlanner().plan(request).assignments[0].reason.startswith("first work at stage 1: new")
