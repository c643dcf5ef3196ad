"""The planner `mix`: parts with shares, and what one cannot fill."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tutelage.agents.planners.mix import MixPlanner
from tutelage.agents.planners.replay import ReplayPlanner
from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Assignment, LessonPlan
from tutelage.seams import Planner, PlanningRequest
from tutelage.testing.planning import make_attempt, make_diagnosis, make_problems, make_request


def plan(parts: list[dict[str, Any]], lessons: int = 10, **more: Any) -> LessonPlan:
    found = make_diagnosis({"a": 0.5, "b": 0.95}, weak=["a"])
    return MixPlanner(parts).plan(make_request(more.pop("pool", make_problems(a=30, b=30)), lessons, found, **more))


def by_part(made: LessonPlan) -> Counter[str]:
    return Counter(one.reason.split(":")[0] for one in made.assignments)


UNIFORM, REPLAY = {"planner": "uniform", "share": 0.7}, {"planner": "replay", "share": 0.3}
WRONG = [make_attempt(f"a{number}", 0.0) for number in range(2)]


def test_each_part_fills_its_share() -> None:
    cover = {"planner": {"name": "set-cover", "options": {"each": 1}}, "share": 3}
    made = plan([cover, {"planner": "uniform", "share": 7}])
    assert by_part(made) == {"set-cover": 3, "uniform": 7}
    assert made.assignments[0].reason.startswith("set-cover: path 1, to a, covers 1 weak skills")


@pytest.mark.parametrize("parts", [[REPLAY, UNIFORM], [UNIFORM, REPLAY]])
def test_what_one_cannot_fill_another_does(parts: list[dict[str, Any]]) -> None:
    made = plan(parts, attempts=WRONG)
    buffered = by_part(made)["replay"]
    # In front the buffer gives both; behind, the draw may have taken one of them.
    assert by_part(made) == {"replay": buffered, "uniform": 10 - buffered} and buffered <= 2
    assert parts[0] is UNIFORM or buffered == 2


def test_what_no_part_fills_is_drawn() -> None:
    made = plan([REPLAY, {"planner": "replay", "share": 1}], attempts=WRONG)
    assert by_part(made) == {"replay": 2, "room left, predicted 0.50": 8} or by_part(made)["replay"] == 2
    assert len(made.assignments) == 10


def test_a_part_fills_what_is_open_only_if_it_is_told_to() -> None:
    told = {"planner": {"name": "replay", "options": {"fill": True}}, "share": 1}
    assert by_part(plan([told])) == {"replay": 10}


def test_the_task_s_order_survives() -> None:
    pool = make_problems(b=3, a=3)[::-1]
    made = plan([{"planner": "every", "share": 1}], lessons=4, pool=pool)
    assert [one.problem_id for one in made.assignments] == [one.id for one in pool[:4]]


def test_tokens_are_divided_as_lessons_are() -> None:
    parts = [{"planner": "benefit", "share": 1}, {"planner": "uniform", "share": 3}]
    made = plan(parts, lessons=40, tokens=1200)  # 100 each are expected
    assert by_part(made) == {"benefit": 3, "uniform": 9}
    assert made.budget == {"lessons": 12.0, "tokens": 1200.0}


def test_a_planner_that_returns_nonsense_is_kept_within_its_share() -> None:
    class Greedy:
        def plan(self, request: PlanningRequest) -> LessonPlan:
            every = ReplayPlanner().plan(make_request(request.problems, 99, request.diagnosis))
            more = every.assignments[0].model_copy(update={"problem_id": "nobody's"})
            return every.model_copy(update={"assignments": (more, *every.assignments, *every.assignments)})

    made = MixPlanner([UNIFORM, REPLAY])
    made.planners[1] = Greedy()
    found = made.plan(make_request(make_problems(a=30), 10, make_diagnosis()))
    assert by_part(found) == {"uniform": 7, "replay": 3}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "parts"),
        ([{"planner": "replay"}], "0.share"),
        ([{"planner": "replay", "share": 0}], "0.share"),
        ([{"planner": "replay", "share": 1, "weight": 2}], "0.weight"),
        ([{"planner": "repaly", "share": 1}], "did you mean 'replay'"),
        ([{"planner": {"name": "replay", "options": {"window": 0}}, "share": 1}], "window 0"),
    ],
)
def test_wrong_parts_are_named(parts: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InputError) as direct:
        MixPlanner(parts)
    with pytest.raises(InputError) as configured:
        build("planners", Plugin(name="mix", options={"parts": parts}))
    assert said in str(direct.value) and said in str(configured.value)
    assert "\n" not in str(direct.value)


def test_it_fills_the_seam() -> None:
    assert isinstance(build("planners", Plugin(name="mix", options={"parts": [UNIFORM, REPLAY]})), Planner)


class Picky:
    """An own planner that says by whom, for what and with what weight a problem is taught."""

    def plan(self, request: PlanningRequest) -> LessonPlan:
        assigned = Assignment(
            problem_id="b3", teachers=("two",), weakness="c", weight=0.25, reason="mine", scores={"two": 0.9}
        )
        return LessonPlan(cycle=request.cycle, assignments=(assigned,))


def test_what_an_own_planner_assigns_is_kept() -> None:
    mix = MixPlanner([{"planner": f"{__name__}:Picky", "share": 1}, {"planner": "uniform", "share": 1}])
    request = make_request(make_problems(a=9, b=9), 4, make_diagnosis({"a": 0.5}, weak=["a"]), teachers=("one", "two"))
    made = {one.problem_id: one for one in mix.plan(request).assignments}
    assigned = Picky().plan(request).assignments[0]
    assert made["b3"] == assigned.model_copy(update={"reason": f"{__name__}:Picky: mine"})
    others = [one for name, one in made.items() if name != "b3"]
    assert len(others) == 3 and all(one.teachers == ("one", "two") and one.weight == 1 for one in others)
