"""What holds of every built-in planner, whatever it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.errors import InputError
from tutelage.plugins import Plugin, build, installed
from tutelage.schema import Attempt, LessonPlan, Problem
from tutelage.seams import Outcome, Planner, PlanningRequest
from tutelage.testing.planning import make_attempt, make_diagnosis, make_problems, make_request

PACED = {"name": "paced", "options": {"fresh": 1}}
OPTIONS = {"mix": {"parts": [{"planner": "replay", "share": 1}, {"planner": PACED, "share": 2}]}}
BLIND = ("uniform", "every")
"""Baselines that do not look at the diagnosis."""
NAMES = sorted(row.name for row in installed() if row.seam == "planners" and row.package == "tutelage")
SKILLS = [f"s{number}" for number in range(6)]
EDGES = {SKILLS[n]: (SKILLS[n - 1], SKILLS[n - 2]) for n in range(2, 6)} | {"unasked": ("s0",)}


@cache
def planner(name: str) -> Planner:
    made: Planner = build("planners", Plugin(name=name, options=OPTIONS.get(name, {})))
    return made


@st.composite
def requests(draw: st.DrawFn) -> PlanningRequest:
    tags = draw(st.lists(st.lists(st.sampled_from([*SKILLS, "new"]), max_size=3), max_size=25))
    problems = [Problem(id=f"p{n}", question=f"{n}?", answer="1", skills=tuple(some)) for n, some in enumerate(tags)]
    ids = st.integers(0, 30).map(lambda number: f"p{number}")
    means = draw(st.dictionaries(st.sampled_from(SKILLS), st.floats(0.001, 0.999)))
    weak = draw(st.lists(st.sampled_from([*SKILLS, "ending in time"]), unique=True))
    refuted = draw(st.sets(st.sampled_from(SKILLS))) - set(weak)
    found = make_diagnosis(means, weak, sorted(refuted), draw(st.floats(0, 1)), prerequisites=EDGES)
    attempt = st.builds(make_attempt, ids, st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 3), st.integers(0, 2))
    return make_request(
        problems,
        draw(st.integers(0, 30)),
        found,
        cycle=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 99)),
        attempts=sorted(draw(st.lists(attempt, max_size=20)), key=lambda one: one.cycle),
        taught=draw(st.dictionaries(ids, st.integers(1, 3))),
        outcomes=draw(st.lists(st.builds(Outcome, ids, st.integers(0, 200), st.none() | st.booleans()))),
        tokens=draw(st.none() | st.integers(1, 2000)),
        teacher_rates=draw(st.dictionaries(st.sampled_from(SKILLS), st.floats(0, 1))),
        earlier=[make_diagnosis(draw(st.dictionaries(st.sampled_from(SKILLS), st.floats(0.001, 0.999))))],
    )


def shuffled(request: PlanningRequest, seed: int) -> PlanningRequest:
    """Return the same request with all that has no order of its own in another order."""
    rng = np.random.default_rng(seed)

    def mixed(some: Sequence[object]) -> list[object]:
        return [some[int(place)] for place in rng.permutation(len(some))]

    def within_exams(some: Sequence[Attempt]) -> list[object]:
        return [one for cycle in (1, 2, 3) for one in mixed([a for a in some if a.cycle == cycle])]

    found = request.diagnosis
    found = found.model_copy(
        update={
            "mastery": tuple(mixed(found.mastery)),
            "prerequisites": {skill: tuple(mixed(some)) for skill, some in mixed([*found.prerequisites.items()])},  # type: ignore[misc,has-type]
        }
    )
    attempts = within_exams(request.attempts)
    return replace(request, diagnosis=found, problems=mixed(request.problems), attempts=attempts)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=requests())
def test_whatever_is_asked_every_plan_is_sound(asked: PlanningRequest) -> None:
    pool = {problem.id: problem for problem in asked.problems}
    refuted = {weakness.name for weakness in asked.diagnosis.weaknesses if weakness.refuted}
    other = shuffled(asked, asked.seed)
    for name in NAMES:
        made = planner(name).plan(asked)
        check(made, asked)
        assert refuted.isdisjoint(one.weakness for one in made.assignments), name
        taught = [pool[one.problem_id].skills for one in made.assignments]
        assert name in BLIND or not any(skills and refuted.issuperset(skills) for skills in taught), name
        # `every` has the task's order; all others give the same plan whatever came first.
        assert made == planner(name).plan(asked if name == "every" else other), name


def check(made: LessonPlan, request: PlanningRequest) -> None:
    ids = [one.problem_id for one in made.assignments]
    assert len(ids) == len(set(ids)) <= max(request.lessons, 0)
    assert set(ids) <= {problem.id for problem in request.problems}
    assert made.cycle == request.cycle
    assert made.budget["lessons"] == len(ids)
    assert request.tokens is None or made.budget["tokens"] <= request.tokens
    assert bool(made.budget["tokens"]) == bool(ids)
    taught = {weakness.name for weakness in request.diagnosis.taught}
    for one in made.assignments:
        assert any(sign.isdigit() for sign in one.reason), one.reason
        assert one.teachers == request.teachers
        assert one.weakness is None or one.weakness in taught


@pytest.mark.parametrize("name", NAMES)
def test_a_pool_without_tags_and_a_student_without_a_history_get_a_full_plan(name: str) -> None:
    pool = [Problem(id=f"p{number}", question=f"{number}?", answer="1") for number in range(20)]
    made = planner(name).plan(make_request(pool, 8, make_diagnosis(weak=["wrong answers"], accuracy=0.1)))
    assert len(made.assignments) == 8
    assert planner(name).plan(make_request([], 8, make_diagnosis())).assignments == ()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("every", "benefit")])
def test_another_seed_draws_other_problems(name: str) -> None:
    request = make_request(make_problems(a=40, b=40), 20, make_diagnosis({"a": 0.2, "b": 0.3}, weak=["a", "b"]))
    plans = [planner(name).plan(replace(request, seed=seed)) for seed in range(3)]
    assert len({tuple(one.problem_id for one in plan.assignments) for plan in plans}) == 3


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("set-cover", {"mastered": 0}, "mastered 0"),
        ("set-cover", {"narrowness": 0}, "narrowness 0"),
        ("set-cover", {"unmastered": -1}, "unmastered -1"),
        ("set-cover", {"difficulty": -0.1}, "difficulty -0.1"),
        ("set-cover", {"each": 0}, "each 0"),
        ("ladder", {"gap": 1}, "gap 1"),
        ("ladder", {"step": 0}, "step 0"),
        ("ladder", {"mastered": 0.5}, "mastered 0.5"),
        ("gap-mix", {"temperature": 0}, "temperature 0"),
        ("gap-mix", {"smoothing": 1}, "smoothing 1"),
        ("replay", {"leave_at": 0}, "leave_at 0"),
        ("replay", {"window": 0}, "window 0"),
        ("replay", {"capacity": 0}, "capacity 0"),
    ],
)
def test_an_option_out_of_range_is_named(name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=rf"{said}.* is out of range; give"):
        build("planners", Plugin(name=name, options=options))


def test_prerequisites_with_a_cycle_are_refused() -> None:
    found = make_diagnosis({"a": 0.1}, weak=["a"], prerequisites={"a": ("b",), "b": ("a",)})
    for name in ("set-cover", "ladder"):
        with pytest.raises(InputError, match=r"prerequisites: .* is a cycle"):
            planner(name).plan(make_request(make_problems(a=3), 2, found))
