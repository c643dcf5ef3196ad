"""The planner `benefit`: what it predicts, what it then chooses, and what a run tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutelage
from tutelage.agents.planners.benefit import BenefitPlanner
from tutelage.agents.planners.explanations import OWN, PRIOR, Explanations, chance_explained
from tutelage.agents.planners.learner_model import LearnerModel
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.rundir import RunDir
from tutelage.schema import Diagnosis, LessonPlan, Mastery, Problem
from tutelage.seams import Outcome, Planner, PlanningRequest
from tutelage.testing import fake_config


def pool(**sizes: int) -> list[Problem]:
    return [
        Problem(id=f"{skill}{i}", question="?", answer="1", skills=(skill,))
        for skill, n in sizes.items()
        for i in range(n)
    ]


def plan(problems: list[Problem], means: dict[str, float], lessons: int = 100, **more: Any) -> LessonPlan:
    mastery = tuple(Mastery(skill=s, alpha=1000 * m, beta=1000 * (1 - m)) for s, m in means.items())
    found = Diagnosis(cycle=2, student="base", accuracy=0.5, weaknesses=(), mastery=mastery)
    given_ = {"attempts": (), "taught": {}, "teachers": ("one",), "seed": 0, **more}
    return BenefitPlanner().plan(
        PlanningRequest(cycle=2, diagnosis=found, problems=problems, lessons=lessons, **given_)
    )


def ids(made: LessonPlan) -> list[str]:
    return [assignment.problem_id for assignment in made.assignments]


def outcomes(skill: str, right: int, wrong: int, tokens: int = 10) -> list[Outcome]:
    marks = [True] * right + [False] * wrong
    return [Outcome(f"{skill}{i}", tokens, mark) for i, mark in enumerate(marks)]


def test_it_fills_the_seam() -> None:
    assert isinstance(build("planners", Plugin(name="benefit", options={"tokens": 30})), Planner)
    with pytest.raises(InputError, match="tokens 0 is out of range"):
        BenefitPlanner(tokens=0)


def test_the_posterior_begins_with_half_of_what_is_missing() -> None:
    assert chance_explained(0, 0, 0.2) == pytest.approx(0.6)
    assert chance_explained(3, 4, 0.2) == pytest.approx((3 + PRIOR * 0.6) / (4 + PRIOR))


def test_what_became_of_the_problem_itself_counts_more() -> None:
    found = Diagnosis(
        cycle=2, student="base", accuracy=0.5, weaknesses=(), mastery=(Mastery(skill="a", alpha=1, beta=1),)
    )
    told = [*outcomes("a", 3, 1), Outcome("a9", 5, None), Outcome("elsewhere", 1000, True)]
    request = PlanningRequest(2, found, pool(a=10), (), {}, ("one",), 5, 0, told)
    explanations = Explanations(request, LearnerModel.of(request))
    problems = {one.id: one for one in request.problems}
    assert explanations.chance_explained(problems["a8"], 0.2) == pytest.approx(chance_explained(3, 4, 0.2))
    assert explanations.chance_explained(problems["a9"], 0.2) == pytest.approx(chance_explained(3, 4, 0.2))
    assert explanations.chance_explained(problems["a3"], 0.2) == pytest.approx(chance_explained(3, 3 + OWN, 0.2))
    assert explanations.tokens(problems["a3"]) == 9  # (4 x 10 + 5) / 5


def test_with_nothing_known_of_explaining_the_worst_known_comes_first() -> None:
    made = plan(pool(known=3, unknown=3), {"known": 0.9, "unknown": 0.1}, lessons=3)
    assert ids(made) == ["unknown0", "unknown1", "unknown2"]
    assert made.assignments[0].reason == "benefit +0.45 in 100 tokens"


def test_what_explaining_has_helped_goes_before_what_it_has_not() -> None:
    told = [*outcomes("deaf", 0, 8), *outcomes("quick", 8, 0)]
    made = plan(pool(deaf=12, quick=12), {"deaf": 0.1, "quick": 0.4}, lessons=4, outcomes=told)
    assert {name[:5] for name in ids(made)} == {"quick"}


def test_the_dearer_of_two_equal_benefits_goes_last() -> None:
    told = [*outcomes("long", 4, 4, tokens=80), *outcomes("brief", 4, 4, tokens=20)]
    made = plan(pool(long=10, brief=10), {"long": 0.1, "brief": 0.1}, lessons=10, outcomes=told)
    assert {name.rstrip("0123456789") for name in ids(made)} == {"brief"}


def test_a_problem_that_was_explained_in_vain_waits() -> None:
    made = plan(pool(a=4), {"a": 0.1}, outcomes=outcomes("a", 0, 1))
    assert ids(made)[-1] == "a0"


@given(
    budget=st.one_of(st.none(), st.integers(1, 2000)),
    lessons=st.integers(0, 30),
    told=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 300), st.none() | st.booleans()), max_size=30),
)
def test_no_budget_is_overdrawn_and_no_problem_is_explained_twice(budget, lessons, told):  # type: ignore[no-untyped-def]
    made = plan(
        pool(a=10, b=10),
        {"a": 0.2, "b": 0.7},
        lessons,
        tokens=budget,
        outcomes=[Outcome(f"a{i}", tokens, right) for i, tokens, right in told],
    )
    assert len(ids(made)) == len(set(ids(made))) <= lessons
    assert budget is None or made.budget["tokens"] <= budget
    if budget is None:
        assert len(ids(made)) == min(lessons, 20)


def test_a_run_tells_it_what_became_of_each_explanation(tmp_path: Path) -> None:
    asked: list[PlanningRequest] = []

    class Listening(BenefitPlanner):
        def plan(self, request: PlanningRequest) -> LessonPlan:
            asked.append(request)
            return super().plan(request)

    config = {**fake_config(exam={"due": None}, plan={"lessons": 16, "tokens": 900}), "policy": "theory-of-mind"}
    result = tutelage.run(config, planner=Listening(), run_dir=tmp_path / "run")
    first, second = asked
    assert not first.outcomes and first.tokens == 900
    assert len(result.lessons(1)) == 9  # 100 tokens each are expected until one was written
    assert [o.problem_id for o in second.outcomes] == [lesson.problem_id for lesson in result.lessons(1)]
    after = {a.problem_id: a.correct for a in RunDir(result.path).attempts(1) if a.student == "checkpoints/cycle-001"}
    assert {o.problem_id: o.right for o in second.outcomes}.items() <= after.items()
    words = len(result.lessons(1)[0].text.split())
    assert second.outcomes[0].tokens == words + 1
    assert len(result.lessons(2)) == 16
    assert not first.teacher_rates and not first.earlier and not first.earlier_attempts
    assert set(second.teacher_rates.values()) == {1.0}  # the fake teacher is always right
    assert [one.cycle for one in second.earlier] == [1]
    assert {one.student for one in second.earlier_attempts} == {"base"}
    assert {one.student for one in second.attempts} == {"checkpoints/cycle-001"}
