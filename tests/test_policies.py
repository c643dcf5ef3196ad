"""A policy fills in settings, and nothing else; what each of them does is seen in the files of a run of fakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError
from tutelage.config import RunConfig, TeachConfig, TrainingConfig
from tutelage.configfile import dump_config, load_config, parse_config
from tutelage.graphs.preflight import examine_config
from tutelage.policies import POLICIES, settings_of
from tutelage.rundir import RunDir
from tutelage.schema import Split
from tutelage.testing import FakeTeacher, fake_config


def configured(policy: str, **changes: Any) -> dict[str, Any]:
    """Return a run of fakes that leaves to a policy what policies fill in."""
    kept = {key: value for key, value in fake_config().items() if key not in ("plan", "exam", "teachers")}
    return {**kept, "policy": policy, "teachers": ["tutelage.testing:FakeTeacher"], **changes}


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_is_a_configuration_that_says_where_it_is_from(name: str) -> None:
    config = parse_config({"task": "tutelage.testing:FakeTask", "policy": name})
    values = config.model_dump(mode="json")
    for field, value in settings_of(name).items():
        section, _, key = field.partition(".")
        found = values[section][key] if key else values[section]
        if key or not isinstance(value, str):
            assert found == value, field
        else:
            assert found == {"name": value, "options": {}}, field
    assert "arXiv" in (POLICIES[name].__doc__ or "")


def test_what_the_file_says_wins_field_by_field() -> None:
    told = {"planner": "paced", "teach": {"concurrency": 2}, "plan": {"lessons": 7}}
    config = parse_config(configured("one-shot", **told))
    assert config.planner.name == "paced" and config.planner.options == {}
    assert (config.teach.hears, config.teach.concurrency) == ((), 2)
    assert config.plan.lessons == 7
    assert parse_config(configured("undo", exam={"due": 3})).exam.due == 3


def test_a_section_given_as_a_model_wins_only_in_what_was_set() -> None:
    given = configured("undo", teach=TeachConfig(drafts=2), training=TrainingConfig(start="last"))
    config = RunConfig(**given)
    assert (config.teach.drafts, config.teach.keep_correct) == (2, True)
    assert (config.training.start, config.plan.lessons) == ("last", None)
    assert RunConfig(**configured("undo", teach=TeachConfig(keep_correct=False))).teach.keep_correct is False


def test_all_is_spelled_out_in_what_a_run_keeps(tmp_path: Path) -> None:
    config = parse_config(configured("one-shot", exam={"due": 3}))
    (tmp_path / "config.yaml").write_text(dump_config(config))
    again = load_config(tmp_path / "config.yaml")
    assert again == config
    assert again.exam.due == 3 and again.memory.recall == 0


def test_an_unknown_policy_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("task: chain\npolicy: undoo\n")
    with pytest.raises(InputError, match=r"config.yaml:2: policy: unknown policy 'undoo'; did you mean 'undo'\?$"):
        load_config(tmp_path / "config.yaml")
    with pytest.raises(InputError, match="--set policy=7: policy: "):
        load_config(tmp_path / "config.yaml", ["policy=7"])


def test_the_doctor_names_what_a_policy_fills_in() -> None:
    config = configured("undo", exam={"due": 3}, plan={"lessons": None})
    checks = examine_config(parse_config(config)).checks
    told = "policy undo sets planner, plan.lessons, teach.keep_correct, training.start; the file has its own exam.due"
    assert checks[0].name == told
    assert not [check for check in checks if check.problem]


def test_one_shot_teaches_each_problem_once_and_tells_nothing_of_the_student(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    config = configured("one-shot", plan={"lessons": 15}, stop={"cycles": 3, "patience": None})
    result = tutelage.run(config, teachers=[teacher], run_dir=tmp_path / "run")
    assert [len(result.lessons(c)) for c in (1, 2, 3)] == [15, 15, 10]
    assert len({request.problem.id for request in teacher.asked}) == len(teacher.asked) == 40
    assert not any(r.attempts or r.history or r.recalled or r.earlier or r.weakness for r in teacher.asked)
    assert not [a for a in RunDir(result.path).attempts(1) if a.split is Split.TRAIN]


def test_one_shot_is_one_cycle_over_all_problems(tmp_path: Path) -> None:
    result = tutelage.run(configured("one-shot", stop={}), run_dir=tmp_path / "run")
    assert [report.lessons.taught for report in result.reports] == [0, 40]


def test_undo_keeps_what_is_right_and_has_the_rest_explained_anew(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    stage = {"name": "tutelage.testing:FakeStage", "options": {"worth": 0.25}}
    training = {"stages": [stage], "worker": "inline", "min_lessons": 4}
    result = tutelage.run(configured("undo", training=training), teachers=[teacher], run_dir=tmp_path / "run")
    rundir = RunDir(result.path)
    train = rundir.problems()[Split.TRAIN]
    assert [lesson.problem_id for lesson in result.lessons(2)] == [problem.id for problem in train]
    student = "checkpoints/cycle-001"
    right = {a.problem_id for c in (1, 2) for a in rundir.attempts(c) if a.student == student and a.correct}
    right &= {problem.id for problem in train}
    assert 0 < len(right) < len(train)
    origins = {lesson.problem_id: lesson.origin for lesson in result.lessons(2)}
    assert {problem for problem, origin in origins.items() if origin == "student"} == right
    asked = [request for request in teacher.asked if request.cycle == 2]
    assert {request.problem.id for request in asked} == set(origins) - right
    assert all(r.attempts and r.earlier and r.earlier[0].student_correct is False for r in asked)


def test_undo_trains_from_the_base_on_one_target_a_problem(tmp_path: Path) -> None:
    from tutelage.jsonl import read_json

    result = tutelage.run(configured("undo"), run_dir=tmp_path / "run")
    trained = [read_json(result.path / "checkpoints" / f"cycle-00{c}" / "fake.json")["lessons"] for c in (1, 2)]
    assert trained == [40, 40]  # FakeStage adds this cycle's lessons to those of the checkpoint it starts from


def test_the_table_is_what_was_measured() -> None:
    root = Path(__file__).parent.parent
    measured = json.loads((root / "bench" / "results" / "policies.json").read_text())
    page = (root / "docs" / "policies.md").read_text()
    assert f"`{measured['command']}`" in page
    assert set(measured["arms"]) == {"none", *POLICIES}
    for arm, row in measured["arms"].items():
        cost = f"{row['rationales']} | {row['tokens_trained']} | {row['answers']}"
        assert f"| `{arm}` | {row['median']:.2f} | {cost} |" in page
