"""Wrong input: exit code 2, one line that names what is wrong and what to do, and nothing written."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]


def write(folder: Path, **overrides: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(fake_config(**overrides)))
    return path


DRIFT = {"name": "sft", "options": {"drift": 1.0}}

WRONG = {
    "unknown key": ({"studnet": {}}, "did you mean 'student'?"),
    "no such student": ({"student": {"model": "no/such-student"}}, "student.model: 'no/such-student'"),
    "no such task": ({"task": "chain_sums"}, "unknown name 'chain_sums'"),
    "no such data file": ({"task": {"name": "dataset", "options": {"path": "no.jsonl"}}}, "no.jsonl"),
    "empty split": ({"task": {"name": "tutelage.testing:FakeTask", "options": {"gate": 0}}}, "'gate' is empty"),
    "no such stage": ({"training": {"stages": ["stf"]}}, "did you mean 'sft'?"),
    "a stage's number out of range": (
        {"training": {"stages": [{"name": "grpo", "options": {"max_steps": 0}}]}},
        "stages: grpo: max_steps: must be at least 1",
    ),
    "a text where a list belongs": (
        {"training": {"stages": [{"name": "sft", "options": {"modules": "down_proj"}}]}},
        ": stages: sft: modules: must be a list, not 'down_proj'",
    ),
    "a list where a mapping belongs": (
        {"training": {"stages": [{"name": "grpo", "options": {"rewards": ["correctness"]}}]}},
        ": stages: grpo: rewards: must be a mapping of names to values, not ['correctness']",
    ),
    "unknown stage option": (
        {"training": {"stages": [{"name": "sft", "options": {"learning_rat": 1}}]}},
        "did you mean 'learning_rate'?",
    ),
    "shared calls of nobody": (
        {"teach": {"shared_calls": "~nobody-here/calls.sqlite"}},
        "teach.shared_calls",
    ),
    "shared calls that are another file": (
        {"teach": {"shared_calls": "config.yaml"}},
        "config.yaml is no call ledger",
    ),
    "a teacher that has nothing to say": (
        {"teachers": ["reference"]},
        "teachers: reference: has nothing to say to any of the 40 train problems, such as 'What is ",
    ),
    "drift over full weights": (
        {"training": {"stages": [DRIFT, {"name": "sft", "options": {"mode": "full"}}]}},
        "a stage of mode full comes",
    ),
    "unreachable teacher": (
        {"teachers": [{"name": "chat", "options": {"model": "openai:x", "base_url": "http://127.0.0.1:9/v1"}}]},
        "127.0.0.1:9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("override", ["stop.cycles=-1", "stop=3", "teachers=[]"])
def test_a_wrong_override_is_blamed_on_itself(tutelage_cli: Run, in_folder: Path, override: str) -> None:
    code, _, err = tutelage_cli("run", write(in_folder), "--set", override)
    assert code == 2
    assert err.startswith(f"tutelage: --set {override}: ")


def test_doctor_goes_on_after_a_failure(tutelage_cli: Run, in_folder: Path) -> None:
    several = ("no such student", "unreachable teacher", "empty split", "shared calls that are another file")
    overrides = {key: value for name in several for key, value in WRONG[name][0].items()}
    code, _, err = tutelage_cli("doctor", write(in_folder, **overrides))
    assert code == 2
    assert len(err.splitlines()) == len(several)
    assert all(WRONG[name][1] in err for name in several)


def test_another_program_s_database_is_left_alone(tutelage_cli: Run, in_folder: Path) -> None:
    with sqlite3.connect("theirs.sqlite") as theirs:
        theirs.execute("CREATE TABLE calls (number INTEGER)")
    before = (in_folder / "theirs.sqlite").read_bytes()
    code, _, err = tutelage_cli("run", write(in_folder, teach={"shared_calls": "theirs.sqlite"}))
    assert code == 2
    assert "another program's database" in err
    assert (in_folder / "theirs.sqlite").read_bytes() == before


def test_a_plug_in_that_raises_is_named_and_not_traced(tutelage_cli: Run, in_folder: Path) -> None:
    (in_folder / "rough.py").write_text(
        "from tutelage.testing import FakeTask, FakeTeacher\n"
        "class Grader(FakeTask):\n    def grade(self, problem, text):\n        return {}['score']\n"
        "class Splits(FakeTask):\n    def splits(self):\n        return {}['train']\n"
    )
    for name, told in {"Grader": "splits and grading: KeyError: 'score'", "Splits": "KeyError: 'train'"}.items():
        code, _, err = tutelage_cli("run", write(in_folder, task=f"rough:{name}"))
        assert code == 2
        assert told in err and "Traceback" not in err


def test_references_that_the_student_could_not_write_are_refused(tutelage_cli: Run, in_folder: Path) -> None:
    rows = [{"question": f"{n}?", "answer": "1", "why": "because " * 30 + "1"} for n in range(40)]
    (in_folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {"name": "dataset", "options": {"path": "data.jsonl", "reference": "why"}}
    student = {**fake_config()["student"], "max_new_tokens": 20}
    code, _, err = tutelage_cli("run", write(in_folder, task=task, teachers=["reference"], student=student))
    assert code == 2
    assert "student.max_new_tokens: 20 tokens are fewer than any reference" in err
    assert re.search(r"raise it, the shortest has \d\d+$", err.strip())


def test_a_message_cannot_steer_the_terminal(tutelage_cli: Run) -> None:
    code, _, err = tutelage_cli("run", "a\x1b[2J.yaml")
    assert code == 2
    assert "\x1b" not in err and "\ufffd[2J" in err


@pytest.mark.parametrize("verb", ["run", "doctor"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_ends_with_two_and_one_line(tutelage_cli: Run, in_folder: Path, verb: str, name: str) -> None:
    overrides, told = WRONG[name]
    path = write(in_folder, **overrides)
    code, _, err = tutelage_cli(verb, path)
    lines = [line for line in err.splitlines() if line.startswith("tutelage: ")]
    assert code == 2
    assert len(lines) == 1
    assert told in lines[0]
    assert "Traceback" not in err
    assert [p.name for p in in_folder.iterdir()] == ["config.yaml"]


DATA = {
    "a problem without an answer": ('{"question": "1 + 1?"}', ":1:", "answer"),
    "an empty answer": ('{"question": "1 + 1?", "answer": ""}', ":1:", "answer"),
    "half an emoji": ('{"question": "\\ud83d + 1?", "answer": "1"}', ":1:", "half a character"),
    "a line that is not JSON": ('{"question": "0?", "answer": "0"}\n{question', ":2:", "JSON"),
}


@pytest.mark.parametrize("name", DATA)
def test_wrong_data_names_its_line(tutelage_cli: Run, in_folder: Path, name: str) -> None:
    text, line, told = DATA[name]
    (in_folder / "data.jsonl").write_text(text + "\n")
    path = write(in_folder, task={"name": "dataset", "options": {"path": "data.jsonl"}})
    code, _, err = tutelage_cli("run", path)
    assert code == 2
    assert f"data.jsonl{line}" in err
    assert told in err


def test_overlapping_splits_are_refused(tutelage_cli: Run, in_folder: Path) -> None:
    for name in ("train", "probe", "gate", "test"):
        rows = [{"question": f"{name} {i}?" if name != "gate" else f"train {i}?", "answer": "1"} for i in range(3)]
        (in_folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {name: f"{name}.jsonl" for name in ("train", "probe", "gate", "test")}
    code, _, err = tutelage_cli("run", write(in_folder, task={"name": "dataset", "options": {"path": files}}))
    assert code == 2
    assert "gate.jsonl" in err
    assert "train.jsonl" in err


def test_an_ungradable_answer_is_refused(tutelage_cli: Run, in_folder: Path) -> None:
    (in_folder / "strict.py").write_text(
        "from tutelage.testing import FakeTask\nfrom tutelage.schema import Grade\n"
        "class Strict(FakeTask):\n    def grade(self, problem, text):\n        return Grade(None, 0.0)\n"
    )
    code, _, err = tutelage_cli("run", write(in_folder, task="strict:Strict"))
    assert code == 2
    assert "not graded" in err
    assert not (in_folder / "runs").exists()


def test_drift_with_nothing_to_rehearse_is_refused_before_anything_is_written(
    tutelage_cli: Run, tmp_path: Path
) -> None:
    stage = "[{name: sft, options: {drift: 0.5}}]"
    tiny = Path(__file__).parents[1] / "examples/tiny.yaml"
    given = ["--set", "retention=null", "--set", f"training.stages={stage}", "--run-dir", tmp_path / "run"]
    code, _, err = tutelage_cli("run", tiny, *given)
    assert code == 2
    assert "retention.rehearse" in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
