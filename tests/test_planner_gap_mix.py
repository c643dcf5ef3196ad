"""The planner `gap-mix`: the softmax of the gaps, smoothing, and shares that cannot be filled."""

from __future__ import annotations

from collections import Counter
from math import exp

import pytest

from tutelage.agents.planners.allocation import allocate
from tutelage.agents.planners.gap_mix import GapMixPlanner
from tutelage.schema import LessonPlan
from tutelage.testing.planning import make_diagnosis, make_problems, make_request


def count(made: LessonPlan) -> Counter[str]:
    return Counter(one.problem_id[0] for one in made.assignments)


def test_shares_are_the_softmax_of_the_gaps() -> None:
    mix = GapMixPlanner(temperature=0.25).mix(["a", "b"], [make_diagnosis({"a": 0.9, "b": 0.4})], {})
    assert mix == {"b": pytest.approx(exp(2) / (1 + exp(2))), "a": pytest.approx(1 / (1 + exp(2)))}
    assert [*mix] == ["b", "a"]
    # Behind a teacher that is right in 0.4 the student is not behind at all; being ahead counts as even.
    even = GapMixPlanner().mix(["a", "b"], [make_diagnosis({"a": 0.9, "b": 0.4})], {"a": 0.8, "b": 0.4})
    assert even == {"a": 0.5, "b": 0.5}


def test_the_mix_is_smoothed_over_cycles_and_does_not_swing() -> None:
    # A student whose weakness changes sides in every cycle.
    left, right = make_diagnosis({"a": 0.1, "b": 0.9}), make_diagnosis({"a": 0.9, "b": 0.1})
    steady, jumpy = GapMixPlanner(smoothing=0.5), GapMixPlanner(smoothing=0.0)
    r = 1 / (1 + exp(-0.8 / 0.25))
    assert jumpy.mix(["a", "b"], [left, right], {})["a"] == pytest.approx(1 - r)
    assert steady.mix(["a", "b"], [left], {})["a"] == pytest.approx(r)
    assert steady.mix(["a", "b"], [left, right], {})["a"] == pytest.approx(0.5 * r + 0.5 * (1 - r))
    assert steady.mix(["a", "b"], [left, right, left], {})["a"] == pytest.approx(0.5 * 0.5 + 0.5 * r)
    for planner, swing in ((steady, 0.35), (jumpy, 0.9)):
        shares = [planner.mix(["a", "b"], [left, right] * 4 + [left] * extra, {})["a"] for extra in (0, 1)]
        assert (abs(shares[0] - shares[1]) > 0.9) == (swing == 0.9)
        assert abs(shares[0] - shares[1]) < 0.95


def test_lessons_follow_the_shares_and_earlier_diagnoses_are_heeded() -> None:
    pool = make_problems(a=50, b=50)
    now, before = make_diagnosis({"a": 0.9, "b": 0.4}), make_diagnosis({"a": 0.4, "b": 0.9})
    assert count(GapMixPlanner().plan(make_request(pool, 25, now))) == {"b": 22, "a": 3}
    smooth = GapMixPlanner().plan(make_request(pool, 25, now, earlier=[before]))
    assert sorted(count(smooth).values()) == [12, 13]
    reasons = {one.problem_id[0]: one.reason for one in smooth.assignments}
    assert reasons == {"a": "share 0.50 for a, gap 0.10", "b": "share 0.50 for b, gap 0.60"}


def test_a_rare_skill_gives_what_it_has_and_the_rest_goes_on() -> None:
    made = GapMixPlanner().plan(make_request(make_problems(a=40, b=3), 20, make_diagnosis({"a": 0.9, "b": 0.1})))
    assert count(made) == {"b": 3, "a": 17}


def test_a_refuted_weakness_has_no_share() -> None:
    found = make_diagnosis({"a": 0.9, "b": 0.1}, refuted=["b"])
    made = GapMixPlanner().plan(make_request(make_problems(a=9, b=9, a_b=9), 30, found))
    assert len(made.assignments) == 18
    assert all(" for a, " in one.reason for one in made.assignments)


def test_a_problem_of_two_skills_goes_where_it_is_scarce() -> None:
    common, rare = make_problems(a=4, a_b=2)[:4], make_problems(a_b=2)
    found = allocate({"a": 1.0, "b": 1.0}, {"a": [*rare, *common], "b": rare}, 4)
    assert found == {"a": common[:2], "b": rare}
    assert allocate({"a": 1.0, "b": 1.0}, {"a": rare, "b": rare}, 9) == {"a": rare[:1], "b": rare[1:]}
    assert allocate({}, {}, 3) == {} and allocate({"a": 1.0}, {"a": rare}, 0) == {"a": []}
