from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.agents.planners.learner_model import PRIOR, LearnerModel
from tutelage.agents.planners.paced import PacedPlanner
from tutelage.agents.purifiers.first import FirstVerified
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Problem, Rationale
from tutelage.seams import Planner, PlanningRequest, Purifier
from tutelage.testing.planning import make_attempt, make_diagnosis


def problem(name, *skills):
    return Problem(id=name, question=name, answer="1", skills=skills)


def diagnosis(weak=(), accuracy=0.0, **means):
    return make_diagnosis(means, weak, accuracy=accuracy)


def plan(problems, lessons, attempts=(), taught=None, found=None, seed=0, cycle=2, **options):
    request = PlanningRequest(
        cycle=cycle,
        diagnosis=found or diagnosis(),
        problems=problems,
        attempts=attempts,
        taught=taught or {},
        teachers=("textbook", "chat"),
        lessons=lessons,
        seed=seed,
    )
    return PacedPlanner(**options).plan(request)


def ids(made):
    return [assignment.problem_id for assignment in made.assignments]


def test_it_fills_the_seam():
    assert isinstance(build("planners", Plugin(name="paced", options={"floor": 0.2})), Planner)
    assert isinstance(build("purifiers", Plugin(name="first")), Purifier)


def test_a_small_pool_is_taken_once():
    pool = [problem(f"p{i}") for i in range(5)]
    made = plan([*pool, pool[0]], 50)
    assert sorted(ids(made)) == [f"p{i}" for i in range(5)]
    assert made.budget == {"lessons": 5, "tokens": 500}
    assert made.assignments[0].teachers == ("textbook", "chat")
    assert made.cycle == 2
    assert plan([], 5).assignments == ()


def test_what_was_taught_and_is_still_wrong_returns_first():
    pool = [problem(f"p{i}") for i in range(40)]
    attempts = [make_attempt(f"p{i}", 0.0, cycle=1) for i in range(8)] + [
        make_attempt(f"p{i}", i % 2, cycle=2) for i in range(8)
    ]
    made = plan(pool, 10, attempts, dict.fromkeys([f"p{i}" for i in range(6)], 1))
    assert set(ids(made)[:3]) == {"p0", "p2", "p4"}  # p6 is wrong, too, but was not taught
    assert [a.reason for a in made.assignments[:3]] == ["wrong last time, lessons so far: 1"] * 3
    assert made.assignments[3].reason.startswith("predicted 0.")
    assert len(set(ids(made))) == 10


def test_returning_problems_leave_room_for_fresh_ones():
    pool = [problem(f"p{i}") for i in range(40)]
    attempts = [make_attempt(f"p{i}", 0.0) for i in range(20)]
    taught = {f"p{i}": 1 + (i < 15) for i in range(20)}
    reasons = Counter(a.reason for a in plan(pool, 10, attempts, taught, fresh=0.6).assignments)
    assert sum(many for reason, many in reasons.items() if reason.startswith("wrong last time")) == 4
    assert set(ids(plan(pool, 10, attempts, taught, fresh=0.6))[:4]) <= {f"p{i}" for i in range(15, 20)}


def test_the_edge_of_ability_is_drawn_more_often():
    pool = [problem(f"easy{i}", "easy") for i in range(50)] + [problem(f"edge{i}", "edge") for i in range(50)]
    found = diagnosis(easy=0.999, edge=0.5)
    picks = Counter(name[:4] for seed in range(40) for name in ids(plan(pool, 20, found=found, seed=seed)))
    # Drawing 20 of 100 with weights 0.15 and 1: about one in eight is easy.
    assert 0.06 < picks["easy"] / picks.total() < 0.25


def test_with_nothing_known_the_draw_is_uniform():
    pool = [problem(f"p{i}", "s") for i in range(10)]
    picks = Counter(name for seed in range(400) for name in ids(plan(pool, 3, found=diagnosis(s=0.002), seed=seed)))
    assert all(70 < picks[p.id] < 170 for p in pool)


def test_rare_weak_skills_are_not_starved():
    pool = [problem(f"common{i}", "common") for i in range(400)] + [problem(f"rare{i}", "rare") for i in range(5)]
    found = diagnosis(("common", "rare"), common=0.5, rare=0.01)
    made = plan(pool, 60, found=found)
    assert sum(name.startswith("rare") for name in ids(made)) >= 3
    assert len(made.assignments) == 60
    assert {a.weakness for a in made.assignments} == {"common", "rare"}


def test_the_prediction_is_the_latest_score_else_the_weakest_skill_else_the_accuracy():
    found = diagnosis(accuracy=0.3, a=0.9, b=0.2)

    def predicted(one, *attempts):
        return LearnerModel(found, [one], attempts).predicted(one)

    attempts = [make_attempt("p", 0.0, 1), make_attempt("p", 1.0, 2, 0), make_attempt("p", 0.0, 2, 1)]
    assert predicted(problem("p", "a", "b"), *attempts) == pytest.approx((0.5 + PRIOR * 0.2) / (1 + PRIOR))
    assert predicted(problem("p", "a", "b")) == pytest.approx(0.2)
    assert predicted(problem("p", "new")) == 0.3


def test_the_most_severe_weakness_of_a_problem_is_named():
    found = diagnosis(("no final answer", "b", "a"))
    made = plan([problem("p", "a", "b"), problem("q")], 2, found=found)
    assert {a.problem_id: a.weakness for a in made.assignments} == {"p": "b", "q": None}


@given(
    pool=st.lists(st.lists(st.sampled_from("abcd"), max_size=3), max_size=30),
    scores=st.lists(st.floats(0, 1), max_size=30),
    lessons=st.integers(1, 40),
    fresh=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_any_pool_gives_a_full_plan_without_repeats(pool, scores, lessons, fresh, seed):
    problems = [problem(f"p{i}", *skills) for i, skills in enumerate(pool)]
    attempts = [make_attempt(f"p{i}", score) for i, score in enumerate(scores[: len(problems)])]
    taught = {f"p{i}": 1 for i in range(0, len(problems), 2)}
    found = diagnosis(("a", "b", "c", "d"), a=0.1, b=0.5)
    given_ = dict(attempts=attempts, taught=taught, found=found, seed=seed, fresh=fresh)
    made = plan(problems, lessons, **given_)
    assert len(made.assignments) == len(set(ids(made))) == min(lessons, len(problems))
    assert made == plan(problems, lessons, **given_)


def test_wrong_options_are_named():
    for options in ({"floor": 0}, {"fresh": 1.5}):
        with pytest.raises(InputError, match=f"{next(iter(options))} .* out of range"):
            PacedPlanner(**options)


def test_the_first_verified_rationale_is_taken():
    texts = [Rationale(text=str(i), verified=i > 0) for i in range(3)]
    assert FirstVerified().purify(problem("p"), texts).text == "1"
    with pytest.raises(InputError, match="no verified rationale"):
        FirstVerified().purify(problem("p"), texts[:1])
