"""The planner `set-cover`, against graphs that can be worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest

from tutelage.agents.planners.learner_model import LearnerModel
from tutelage.agents.planners.path_cover import Path, PathCover
from tutelage.agents.planners.prerequisite_graph import ancestor_shares, prerequisite_graph, stages, teaching_order
from tutelage.agents.planners.set_cover import SetCoverPlanner
from tutelage.testing.planning import make_diagnosis, make_problems, make_request

DIAMOND = {"b": ("a",), "c": ("a",), "d": ("b", "c")}


def cover(prerequisites: dict[str, tuple[str, ...]], costs: dict[str, float], mastered: str, sinks: str) -> list[Path]:
    graph = prerequisite_graph(prerequisites, costs)
    return [*PathCover(graph, costs, [*mastered], [*sinks]).paths()]


def test_what_the_graph_tells() -> None:
    graph = prerequisite_graph(DIAMOND, ["alone"])
    assert ancestor_shares(graph) == {"a": 0, "alone": 0, "b": 0.2, "c": 0.2, "d": 0.6}
    assert teaching_order(graph) == {"a": 0, "alone": 1, "b": 2, "c": 3, "d": 4}
    assert stages(graph) == {"a": 1, "alone": 1, "b": 2, "c": 2, "d": 3}


def test_the_cheapest_way_is_taken() -> None:
    costs = {"a": 9.0, "b": 2.0, "c": 1.0, "d": 4.0}
    (path,) = cover(DIAMOND, costs, "a", "d")
    assert path == Path(("a", "c", "d"), 5.0, 1)  # what is mastered costs nothing
    (path,) = cover(DIAMOND, costs, "", "d")
    assert path == Path(("a", "c", "d"), 14.0, 1)
    (path,) = cover(DIAMOND, costs, "ab", "d")
    assert path == Path(("b", "d"), 4.0, 1)


def test_the_path_with_the_most_weak_skills_comes_first_though_a_cheaper_one_leads_to_its_end() -> None:
    # From m a long way over three sinks to z; from n a short one to z alone. The nearest source of each sink would
    # need both paths anyway for x and y, and never see that one path covers all.
    prerequisites = {"x": ("m",), "y": ("x",), "z": ("y", "n")}
    costs = dict.fromkeys("mnxyz", 1.0)
    assert cover(prerequisites, costs, "mn", "xyz") == [Path(("m", "x", "y", "z"), 3.0, 3)]
    assert cover(prerequisites, costs, "mn", "z") == [Path(("n", "z"), 1.0, 1)]


def test_greedy_picks_are_those_worked_out_by_hand() -> None:
    # p: a chain of three sinks; q: a chain of two; r: one sink that also ends p's chain by a dearer way.
    prerequisites = {"p2": ("p1",), "p3": ("p2",), "q2": ("q1",), "r": ("p1", "q1")}
    costs = {"p1": 1.0, "p2": 1.0, "p3": 1.0, "q1": 2.0, "q2": 2.0, "r": 1.0}
    graph = prerequisite_graph(prerequisites, costs)
    search = PathCover(graph, costs, [], ["p1", "p2", "p3", "q1", "q2", "r"])
    assert [*search.paths()] == [
        Path(("p1", "p2", "p3"), 3.0, 3),
        Path(("q1", "r"), 3.0, 2),  # cheaper than q1, q2, which covers as many
        Path(("q1", "q2"), 4.0, 1),
    ]


def test_of_equal_paths_the_first_by_name_is_taken_whatever_came_first() -> None:
    costs = dict.fromkeys("abcd", 1.0)
    for order in ("abcd", "dcba"):
        graph = nx.DiGraph()
        graph.add_nodes_from(order)
        graph.add_edges_from([("a", "c"), ("b", "d")])
        found = [path.skills for path in PathCover(graph, costs, [], [*order]).paths()]
        assert found == [("a", "c"), ("b", "d")]


def test_every_weak_skill_is_covered_with_few_looks() -> None:
    # 600 skills in 30 layers of 20, each on two of the layer below, every third weak.
    names = [[f"{layer:02}-{n:02}" for n in range(20)] for layer in range(30)]
    prerequisites = {
        names[layer][n]: (names[layer - 1][n], names[layer - 1][(n + layer) % 20])
        for layer in range(1, 30)
        for n in range(20)
    }
    every = [name for layer in names for name in layer]
    sinks = every[::3]
    graph = prerequisite_graph(prerequisites)
    search = PathCover(graph, {name: 1 + (at * 7 % 5) / 10 for at, name in enumerate(every)}, [], sinks)
    paths = [*search.paths()]
    seen = [skill for path in paths for skill in path.skills]
    assert set(sinks) <= set(seen)
    assert sum(path.covers for path in paths) == len(sinks)
    assert all(pair in graph.edges for path in paths for pair in pairwise(path.skills))
    # 20 sources by 200 sinks: each path is looked at twice at most on average, not once for each path chosen.
    assert search.evaluations < 2 * 20 * len(sinks)


def test_skills_are_taught_prerequisites_first_by_what_is_missing() -> None:
    means = {"a": 0.95, "b": 0.6, "c": 0.7, "d": 0.2}
    found = make_diagnosis(means, weak=["d"], prerequisites=DIAMOND)
    pool = make_problems(a=20, b=20, c=20, d=20)
    made = SetCoverPlanner(each=1).plan(make_request(pool, 11, found))
    # a is mastered, c is nearer than b; 1 - mastery is 0.3 for c and 0.8 for d, so 3 and 8 of 11 lessons.
    assert [one.problem_id[0] for one in made.assignments] == ["c"] * 3 + ["d"] * 8
    assert made.assignments[0].reason == "path 1, to d, covers 1 weak skills; c is mastered to 0.70"
    assert [one.weakness for one in made.assignments] == [None] * 3 + ["d"] * 8


def test_the_cost_is_that_of_the_docstring() -> None:
    found = make_diagnosis({"a": 0.95, "b": 0.6, "c": 0.7, "d": 0.2}, weak=["d"], prerequisites=DIAMOND)
    request = make_request(make_problems(a=1, b=1, c=1, d=1), 1, found)
    graph = prerequisite_graph(DIAMOND)
    (path,) = SetCoverPlanner().cover(LearnerModel.of(request), graph, {"d"}).paths()
    of_c = 0.5 * 0.3 + 0.3 * 0.25 + 0.2 * (1 - 0.25)
    of_d = 0.5 * 0.8 + 0.3 * 0.75 + 0.2 * 1.0
    assert path.skills == ("a", "c", "d")
    assert path.cost == pytest.approx(of_c + of_d)


def test_a_problem_belongs_to_the_last_of_its_skills_that_are_taught() -> None:
    found = make_diagnosis({"a": 0.5, "b": 0.5}, weak=["a", "b"], prerequisites={"b": ("a",)})
    made = SetCoverPlanner(each=1, fill=False).plan(make_request(make_problems(a_b=4, a=4), 8, found))
    assert [one.problem_id.startswith("a_b") for one in made.assignments] == [False] * 4 + [True] * 4


def test_paths_wait_where_lessons_are_few() -> None:
    found = make_diagnosis(dict.fromkeys("abcd", 0.1), weak=[*"abcd"])
    made = SetCoverPlanner(each=4).plan(make_request(make_problems(a=9, b=9, c=9, d=9), 10, found))
    assert {one.problem_id[0] for one in made.assignments} == {"a", "b"}
    assert len(made.assignments) == 10


def test_a_refuted_weakness_is_no_goal_and_not_taught_on_the_way() -> None:
    chain = {"b": ("a",), "c": ("b",)}
    found = make_diagnosis(dict.fromkeys("abc", 0.1), weak=["c"], refuted=["b"], prerequisites=chain)
    made = SetCoverPlanner(each=1).plan(make_request(make_problems(a=5, b=5, c=5), 15, found))
    assert [one.problem_id[0] for one in made.assignments] == ["a"] * 5 + ["c"] * 5


def test_without_weaknesses_lessons_are_drawn_at_the_edge_of_ability() -> None:
    made = SetCoverPlanner().plan(make_request(make_problems(a=5), 3, make_diagnosis({"a": 0.9})))
    assert [one.reason for one in made.assignments] == ["room left, predicted 0.90"] * 3
    assert SetCoverPlanner(fill=False).plan(make_request(make_problems(a=5), 3, make_diagnosis())).assignments == ()


def test_the_first_path_is_taken_whole_and_the_next_waits() -> None:
    chain = {"b": ("a",), "c": ("b",), "d": ("c",)}
    means = dict.fromkeys("abcde", 0.2)
    found = make_diagnosis(means, weak=[*means], prerequisites=chain)
    made = SetCoverPlanner(each=4, fill=False).plan(make_request(make_problems(a=9, b=9, c=9, d=9, e=9), 8, found))
    # Lessons for two skills, and the first path has four; e, on a path of its own, waits.
    assert [one.problem_id[0] for one in made.assignments] == [*"aabbccdd"]
