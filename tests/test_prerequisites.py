"""Prerequisites: read, put in order, refused where they form a cycle, and estimated from planted chains."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutelage
from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.agents.prerequisites import FEWEST, estimate_prerequisites
from tutelage.arithmetic import PREREQUISITES
from tutelage.config import RunConfig
from tutelage.errors import InputError
from tutelage.graphs.preflight import examine_config
from tutelage.graphs.prerequisites import known_skills, task_prerequisites
from tutelage.prerequisites import as_graph, in_order, read_file, read_mapping, restricted
from tutelage.schema import Diagnosis, Mastery, Problem, Split
from tutelage.tasks.dataset import DatasetTask
from tutelage.tasks.reasoning_gym import ReasoningGymTask
from tutelage.testing.fakes import FakeTask, fake_config
from tutelage.testing.simulated import SimulatedStudent, draw_outcomes

KNOWN = tuple("abcdef")


def test_a_mapping_is_put_in_one_form() -> None:
    assert read_mapping({"c": ["b", "a", "b"], "b": "a", "a": []}, "here") == {"b": ("a",), "c": ("a", "b")}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (["a"], "here: prerequisites are a mapping"),
        ({"a": 3}, "here: a: must be a skill with a list"),
        ({"a": [3]}, "here: a: its prerequisites must be names"),
        ({"a": ["a"]}, "here: prerequisites form a cycle: a -> a;"),
        (
            {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]},
            "cycle: (a -> c -> b -> a|b -> a -> c -> b|c -> b -> a -> c);",
        ),
    ],
)
def test_what_is_no_order_is_refused(value: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_mapping(value, "here")


@pytest.mark.parametrize(("name", "text"), [("p.yaml", "b: [a]\nc: b\n"), ("p.json", '{"b": ["a"], "c": "b"}')])
def test_a_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_file(tmp_path / name) == {"b": ("a",), "c": ("b",)}


@pytest.mark.parametrize("text", ["a: [b", "a: [b]\nb: [a]", "!!python/name:os.system", None])
def test_a_bad_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "p.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"p\.yaml: (cannot be read|prerequisites form a cycle: (a -> b|b -> a) -> )"):
        read_file(path)


def test_doctor_finds_a_bad_file_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("a: [b]\nb: [a]\n")
    spec = {"name": "skills", "options": {"prerequisites": str(tmp_path / "p.yaml")}}
    config = RunConfig(**fake_config(diagnostician=spec))
    found = [check.problem for check in examine_config(config).checks if check.problem]
    assert len(found) == 1 and "form a cycle" in found[0] and "p.yaml" in found[0]


def test_a_file_for_another_task_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("Adding with a carry: [adding]\n")
    spec = {"name": "skills", "options": {"prerequisites": str(tmp_path / "p.yaml")}}
    config = RunConfig(**fake_config(diagnostician=spec))
    found = [check for check in examine_config(config).checks if check.problem]
    assert [check.name for check in found] == ["diagnostician fits the task"]
    with pytest.raises(InputError, match=r"p\.yaml: has 'Adding with a carry', but none of .*; spell them as the task"):
        tutelage.run(config, run_dir=tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["p.yaml"]


def test_prerequisites_are_not_refused_where_a_skill_is_named_or_may_be_discovered(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("carrying: [adding]\n")
    diagnostician = SkillDiagnostician(prerequisites=str(tmp_path / "p.yaml"))
    with pytest.raises(InputError, match="none of the task's skills, such as 'spelling'"):
        diagnostician.check_skills({"spelling"})
    diagnostician.check_skills({"adding", "spelling"})
    diagnostician.check_skills(set())
    SkillDiagnostician(task_prerequisites={"carrying": ["adding"]}).check_skills({"spelling"})  # the task's own


def test_skills_that_the_task_does_not_have_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("carrying: [adding]\nbowrowing: [taking]\n")
    diagnostician = SkillDiagnostician(prerequisites=str(tmp_path / "p.yaml"))
    told = diagnostician.caveat(3, {"carrying", "adding", "borrowing", "taking"})
    assert told is not None and "no problem of the task has the skill 'bowrowing'" in told
    assert diagnostician.caveat(3, {"carrying", "adding", "bowrowing", "taking"}) is None
    assert diagnostician.caveat(3, ()) is None


def test_the_skills_of_a_task_are_unknown_if_a_problem_has_no_tags() -> None:
    tagged = Problem(question="1?", answer="1", skills=("a",))
    other, bare = Problem(question="2?", answer="2", skills=("b",)), Problem(question="3?", answer="3")
    assert known_skills({Split.PROBE: [tagged], Split.TRAIN: [other], Split.RETENTION: [bare]}) == {"a", "b"}
    assert known_skills({Split.PROBE: [tagged], Split.CHECK: [bare]}) == set()


def test_what_is_left_out_is_bridged() -> None:
    assert restricted({"b": ("a",), "c": ("b",), "d": ("c", "a")}, {"a", "c", "d"}) == {"c": ("a",), "d": ("c",)}
    assert in_order(["d", "c", "a"], {"c": ("d",), "d": ("b",)}) == ["a", "d", "c"]


@given(st.dictionaries(st.sampled_from(KNOWN), st.lists(st.sampled_from(KNOWN))), st.sets(st.sampled_from(KNOWN)))
def test_only_cycles_are_refused(value: Mapping[str, list[str]], skills: set[str]) -> None:
    free = networkx.is_directed_acyclic_graph(as_graph(value))
    if not free:
        with pytest.raises(InputError, match="cycle"):
            read_mapping(value, "here")
        return
    found = read_mapping(value, "here")
    order = in_order(skills, found)
    kept = restricted(found, skills)
    assert set(order) == skills
    assert all(order.index(needed) < order.index(skill) for skill, several in kept.items() for needed in several)


def test_arithmetic_offers_its_own_and_a_data_set_what_it_is_told(tmp_path: Path) -> None:
    sizes = {"train": 4, "test": 2}
    sums = ReasoningGymTask("chain_sum", sizes)
    assert task_prerequisites(sums, "sums")["addition with carry"] == ("addition without carry",)
    assert task_prerequisites(ReasoningGymTask("letter_counting", sizes), "letters") == {}
    assert task_prerequisites(FakeTask(), "fake") == {}
    assert networkx.is_directed_acyclic_graph(as_graph(PREREQUISITES))
    assert task_prerequisites(DatasetTask("x.jsonl", prerequisites={"b": ["a"]}), "mine") == {"b": ("a",)}
    with pytest.raises(InputError, match="cycle: a -> a"):
        DatasetTask("x.jsonl", prerequisites={"a": ["a"]})


def test_a_task_that_fails_to_offer_them_is_named() -> None:
    class Broken(FakeTask):
        def prerequisites(self) -> Mapping[str, list[str]]:
            raise KeyError("nothing")

    class Circular(FakeTask):
        def prerequisites(self) -> Mapping[str, list[str]]:
            return {"a": ["b"], "b": ["a"]}

    with pytest.raises(InputError, match=r"tasks: mine: prerequisites: .*mend the plug-in"):
        task_prerequisites(Broken(), "mine")
    with pytest.raises(InputError, match="tasks: mine: prerequisites form a cycle: "):
        task_prerequisites(Circular(), "mine")


def diagnosed(mastery: tuple[Mastery, ...]) -> Diagnosis:
    return Diagnosis(cycle=1, student="base", accuracy=0.5, weaknesses=(), mastery=mastery)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_chain_is_found_and_nothing_else(seed: int) -> None:
    found = estimate_prerequisites(draw_outcomes(100, seed))
    assert found == {"add": ("count",), "divide": ("multiply",), "multiply": ("add",)}


def test_one_checkpoint_and_few_answers_show_nothing() -> None:
    assert estimate_prerequisites([{"a": (90.0, 10.0), "b": (10.0, 90.0)}]) == {}
    assert estimate_prerequisites(draw_outcomes(100, 0), min_support=1e6) == {}
    assert estimate_prerequisites([]) == {}


def test_of_a_cycle_the_weakest_edge_is_dropped() -> None:
    """Three groups of students, each examined on two of the skills only: a before b, b before c, c before a."""

    def group(first: str, second: str, without: float) -> list[dict[str, tuple[float, float]]]:
        both, one = {first: (9.0, 1.0), second: (9.0, 1.0)}, {first: (9.0, 1.0), second: (0.0, 10.0)}
        return [both, one, {first: (0.0, 10.0), second: (10 * without, 10 - 10 * without)}] * 20

    rows = [*group("a", "b", 0.0), *group("b", "c", 0.0), *group("c", "a", 0.1)]
    assert estimate_prerequisites(rows) == {"b": ("a",), "c": ("b",)}


def test_the_diagnosis_records_what_it_went_by(tmp_path: Path) -> None:
    student, rng = SimulatedStudent({"a": 0.1, "b": 0.9}), random.Random(0)
    asked = [Problem(id=f"p{i}", question="?", answer="a", skills=("a" if i < 20 else "b",)) for i in range(24)]
    problems, attempts = {p.id: p for p in asked}, [student.answer(p, i, rng) for i, p in enumerate(asked)]
    (tmp_path / "p.yaml").write_text("b: [a, unheard]\n")

    def diagnose(source: str | None, earlier: int = 0) -> tuple[dict[str, tuple[str, ...]], float]:
        model = SkillDiagnostician(prerequisites=source, task_prerequisites={"a": ["b"]}, pull=20)
        better = diagnosed(tuple(Mastery(skill=s, alpha=40.0, beta=1.0) for s in "ab"))
        worse = diagnosed((Mastery(skill="a", alpha=1.0, beta=40.0), Mastery(skill="b", alpha=1.0, beta=40.0)))
        between = diagnosed((Mastery(skill="a", alpha=40.0, beta=1.0), Mastery(skill="b", alpha=1.0, beta=40.0)))
        found = model.diagnose(problems, attempts, [better, worse, between, better, worse][:earlier] * 8)
        return found.prerequisites, {m.skill: m.mean for m in found.mastery}["b"]

    none, plain = diagnose(None)
    assert none == {} and diagnose("task")[0] == {"a": ("b",)}
    pulled, mean = diagnose(str(tmp_path / "p.yaml"))
    assert pulled == {"b": ("a",)} and mean < plain - 0.2
    assert diagnose("estimate")[0] == {} and diagnose("estimate", earlier=40)[0] == {"b": ("a",)}


def least_rows(neither: int, first: int, both: int) -> list[dict[str, tuple[float, float]]]:
    right, wrong = (90.0, 0.0), (0.0, 90.0)
    kinds = [{"a": wrong, "b": wrong}] * neither, [{"a": right, "b": wrong}] * first, [{"a": right, "b": right}] * both
    return [row for some in kinds for row in some]


def test_the_fewest_checkpoints_are_what_is_said() -> None:
    assert estimate_prerequisites(least_rows(5, 1, 7)) == {"b": ("a",)} and FEWEST == 13
    fewer = [(n, f, FEWEST - 1 - n - f) for n in range(FEWEST) for f in range(FEWEST - n)]
    assert not any(estimate_prerequisites(least_rows(*counts)) for counts in fewer)


def caveats(source: str, cycles: int) -> list[str]:
    spec = {"name": "skills", "options": {"prerequisites": source}}
    config = RunConfig(**fake_config(diagnostician=spec, stop={"cycles": cycles}))
    return [check.name for check in examine_config(config).checks if "13 checkpoints" in check.name]


def test_an_estimate_in_too_short_a_run_is_told_of(tmp_path: Path) -> None:
    assert caveats("estimate", 13) == caveats("task", 2) == []
    spec = {"name": "skills", "options": {"prerequisites": "estimate"}}
    tutelage.run(fake_config(diagnostician=spec, stop={"cycles": 2, "patience": None}), run_dir=tmp_path / "run")
    events = map(json.loads, (tmp_path / "run" / "events.jsonl").read_text().splitlines())
    notes = [one["text"] for one in events if one.get("kind") == "note" and "13 checkpoints" in one["text"]]
    assert caveats("estimate", 2) == notes and len(notes) == 1
