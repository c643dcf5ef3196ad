"""The command line: JSON documents and nothing else, exit codes, one line for what is wrong."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

import tutelage
from tutelage.cli import reviewing, running
from tutelage.cli.app import ORDER, InOrder
from tutelage.rundir import RunDir
from tutelage.schema import TrainingReport
from tutelage.terminal.cycles import training_table
from tutelage.terminal.life import trace_lines
from tutelage.testing import fake_config

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tutelage.Result:
    return tutelage.run(fake_config(), run_dir=tmp_path_factory.mktemp("runs") / "fake")


def write(folder: Path, **overrides: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(fake_config(**overrides)))
    return path


def test_run_show_and_trace_print_one_document(tutelage_cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "run"
    code, out, err = tutelage_cli("run", write(tmp_path), "--run-dir", path, "--json")
    assert code == 0, err
    ran = json.loads(out)
    code, out, _ = tutelage_cli("show", path, "--json")
    assert (code, json.loads(out)) == (0, ran)
    assert ran["status"] == "finished"
    cycle = ran["cycles"][1]
    assert set(cycle) >= {
        "cycle",
        "accuracy",
        "n",
        "weaknesses",
        "lessons",
        "training",
        "verdict",
        "why",
        "cost",
        "seconds",
    }
    assert [set(one) for one in cycle["mastery"]] == 2 * [{"skill", "mean", "low", "high", "chance"}]
    assert all(0 < one["low"] < one["mean"] < one["high"] < 1 for one in cycle["mastery"])
    assert ran["cycles"][0]["mastery"] == []
    assert set(cycle["lessons"]) == {
            "taught", "from_student", "from_teachers", "replayed", "rejected", "critiques", "by_hand",
        }  # fmt: skip
    assert set(cycle["cost"]) == {"calls", "cached_calls", "tokens_in", "tokens_out", "usd"}
    problem = tutelage.Result(path).lessons(2)[0].problem_id
    code, out, _ = tutelage_cli("trace", path, "--problem", problem[:12], "--json")
    traced = json.loads(out)
    assert (code, traced["problem"]["id"]) == (0, problem)
    assert {event["kind"] for event in traced["events"]} >= {"attempt", "draft", "check", "lesson", "plan"}
    assert all({"cycle", "kind", "agent", "text"} <= set(event) for event in traced["events"])


def test_tables_for_a_person(tutelage_cli: Run, finished: tutelage.Result) -> None:
    code, out, _ = tutelage_cli("show", finished.path)
    assert code == 0
    assert "fake (finished)" in out
    assert "81 %" in out
    assert re.search(r"│ +1│ fake │ +1│ +16│", out)
    assert "addition with carry" in out and re.search(r"\d+ \(\d+-\d+\)", out)
    code, out, _ = tutelage_cli("trace", finished.path, "--problem", finished.lessons(1)[0].problem_id)
    assert code == 0
    assert "lesson" in out


def test_the_training_table_tells_what_moved_and_why_nothing_did(finished: tutelage.Result) -> None:
    metrics = {"first_loss": 2.0, "first_reward": 0.25, "last_reward": 0.75, "kl": 1.0}
    moved = TrainingReport(stage="grpo", steps=3, tokens=4000, loss=0.5, seconds=1.0, metrics=metrics)
    still = moved.model_copy(update={"metrics": {}, "note": "[red]nothing[/red] to replay"})
    console = Console(width=200, file=io.StringIO())
    console.print(training_table([finished.reports[1].model_copy(update={"training": (moved, still)})]))
    rows = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert re.search(r"grpo │ +3│ +4,000│ +1 s│ 2.000 -> 0.500│ reward 0.25 -> 0.75 ", rows[-3])
    assert "[red]nothing[/red] to replay" in rows[-2] and " 0.500│" in rows[-2]


def test_exam(tutelage_cli: Run) -> None:
    code, out, err = tutelage_cli("exam", "--student", "tiny", "--task", "reasoning_gym", "--n", 4,
                                  "--set", "dataset=chain_sum", "--set", "sizes={test: 4}", "--json")  # fmt: skip
    assert code == 0, err
    assert set(json.loads(out)) == {"accuracy", "n", "by_skill", "tokens_per_second"}


def test_plugins(tutelage_cli: Run) -> None:
    code, out, _ = tutelage_cli("plugins", "--json")
    rows = json.loads(out)["plugins"]
    assert code == 0
    assert {"seam": "teachers", "name": "textbook"}.items() <= rows[[r["name"] for r in rows].index("textbook")].items()


def test_without_arguments_it_helps(tutelage_cli: Run) -> None:
    code, out, err = tutelage_cli()
    assert (code, err) == (0, "")
    listed = [line.split()[0] for line in out.partition("Commands:")[2].splitlines() if re.match(r"  \w", line)]
    assert len(listed) >= 8
    assert listed == [name for name in ORDER if name in listed]  # those of later add themselves to the list


def test_a_command_that_is_in_no_list_comes_last() -> None:
    commands: Any = dict.fromkeys(("zeta", "doctor", "alpha", "run"))
    assert InOrder(commands=commands).list_commands(None) == ["run", "doctor", "zeta", "alpha"]


def test_the_package_of_the_command_line_can_be_run() -> None:
    done = subprocess.run([sys.executable, "-m", "tutelage.cli", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[0]) == (0, "tutelage")


def test_commands_that_are_suggested_can_be_typed_in_whatever_the_folder_is_called() -> None:
    path = Path("it's a run")
    suggested = [
        running._next(path, {"status": "finished"}),
        running._next(path, {"status": "waiting for review"}),
        f"go on: tutelage {reviewing._next(path, 1)}",
        f"go on: tutelage {reviewing._next(path, 0)}",
    ]
    commands = [shlex.split(one.rpartition(": ")[2]) for text in suggested for one in text.split("; ")]
    assert [words[1] for words in commands] == ["show", "trace", "review", "resume", "review", "resume"]
    assert all(words[2:] == [str(path)] for words in commands)


def test_a_failing_teacher_s_line_is_to_be_found(tutelage_cli: Run, in_folder: Path) -> None:
    (in_folder / "mine.py").write_text(
        "class Mine:\n    name = 'mine'\n    def teach(self, request):\n        return {}['boom']\n"
    )
    path = in_folder / "a run"
    code, _, err = tutelage_cli("run", write(in_folder, teachers=["mine:Mine"]), "--run-dir", path)
    assert code == 1
    assert "KeyError('boom')" in err and f"go on with `tutelage resume '{path}'`" in err
    assert "mine.py" in (path / "error.log").read_text()
    other = RunDir(path)
    other.lock()
    code, _, err = tutelage_cli("resume", path)
    other.unlock()
    assert code == 1 and "another process is running here" in err and "go on with" not in err
    _, out, _ = tutelage_cli("show", path)
    assert "failed: teacher 'mine' failed on problem" in out
    assert "KeyError('boom')" in json.loads(tutelage_cli("show", path, "--json")[1])["failure"]


def test_version(tutelage_cli: Run) -> None:
    code, out, _ = tutelage_cli("--version")
    assert (code, out) == (0, f"tutelage {importlib.metadata.version('tutelage')}\n")


def test_trace_without_an_id_takes_a_problem_that_was_taught(tutelage_cli: Run, finished: tutelage.Result) -> None:
    code, out, _ = tutelage_cli("trace", finished.path, "--json")
    traced = json.loads(out)
    assert code == 0
    assert "lesson" in {event["kind"] for event in traced["events"]}
    code, out, _ = tutelage_cli("trace", finished.path)
    assert f"problem {traced['problem']['id']}" in out


def test_a_file_gets_no_blank_and_no_broken_lines(in_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutelage", "run", write(in_folder)], capture_output=True, text=True, check=True
    )
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    assert all(line.strip() for line in lines)
    assert sum("weaknesses" in line and "(n=" in line for line in lines) == 2
    assert "cycle 2  " in done.stderr
    refused = subprocess.run([sys.executable, "-m", "tutelage", "run", "no.yaml"], capture_output=True, text=True)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)


def test_doctor_is_content(tutelage_cli: Run, tmp_path: Path) -> None:
    code, out, err = tutelage_cli("doctor", write(tmp_path), "--json")
    assert code == 0, err
    assert json.loads(out)["ok"]


@pytest.mark.parametrize("arguments", [["run"], ["show"], ["run", "a.yaml", "--nothing"], ["teach"], ["trace", "x"]])
def test_wrong_usage_ends_with_two(tutelage_cli: Run, arguments: list[str]) -> None:
    code, out, err = tutelage_cli(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("tutelage: ")


def test_a_folder_that_is_no_run(tutelage_cli: Run, tmp_path: Path) -> None:
    for verb in (["show"], ["resume"], ["trace", "--problem", "x"]):
        code, _, err = tutelage_cli(*verb, tmp_path)
        assert code == 2
        assert "no run directory" in err


def test_hostile_text_is_shown_as_text(tutelage_cli: Run, tmp_path: Path) -> None:
    class Hostile:
        name = "[red]\x1b[2Jevil"

        def teach(self, request: tutelage.TeachingRequest) -> str:
            return f"\x1b[31m[link=x]<script>[/link] Answer: {request.problem.answer}"

    path = tmp_path / "run"
    result = tutelage.run(fake_config(stop={"cycles": 1}), teachers=[Hostile()], run_dir=path)
    _, out, _ = tutelage_cli("trace", path, "--problem", result.lessons(1)[0].problem_id)
    assert "\x1b" not in out
    assert "<script>" in out
    assert "[link=x]" in out


def test_help_is_fast_and_starts_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['tutelage', '--help']\nfrom tutelage.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('torch', 'transformers', 'trl', 'chromadb', 'langgraph', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_trace_shows_the_wrong_step_and_what_was_recalled(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"found": "105", "expected": "98", "skill": "subtraction with borrow"}
    said = {"cycle": 2, "agent": "student"}
    events = [
        {**said, "kind": "attempt", "correct": False, "text": "122 - 24 = 105.\x1b[2J", "wrong_step": wrong},
        {**said, "kind": "recall", "text": "51 - 26 = 35.", "question": "51 - 26 =", "taught": "31 - 6", "fixed": True},
    ]
    problem = {"id": "p", "question": "122 - 24 =", "answer": "98", "skills": []}
    Console(width=120).print(trace_lines({"problem": problem, "split": "train", "events": events}))
    shown = capsys.readouterr().out
    assert "first wrong step: '105', expected '98' (subtraction with borrow)" in shown
    assert "of '51 - 26 ='; what was taught then: '31 - 6' (fixed)" in shown
    assert "\x1b[2J" not in shown


def test_a_folder_whose_name_is_not_utf8_is_told_as_an_escape(finished: tutelage.Result, in_folder: Path) -> None:
    weird = os.fsdecode(b"weird\xff")
    shutil.copytree(finished.path, weird)
    ask = {"capture_output": True, "env": {**os.environ, "PYTHONIOENCODING": "utf-8"}}
    for command in (["show", weird, "--json"], ["show", weird], ["report", weird], ["export", "spans", weird]):
        done = subprocess.run([sys.executable, "-m", "tutelage", *command], **ask)
        assert (done.returncode, done.stderr) == (0, b""), command
        if "--json" in command:
            assert json.loads(done.stdout)["run"] == weird


def test_json_is_json_in_every_encoding(finished: tutelage.Result, tmp_path: Path) -> None:
    path = shutil.copytree(finished.path, tmp_path / "\u00e9\U0001f600")
    for encoding in ("cp1252", "ascii", "utf-8"):
        ask: dict[str, Any] = {"capture_output": True, "env": {**os.environ, "PYTHONIOENCODING": encoding}}
        done = subprocess.run([sys.executable, "-m", "tutelage", "show", path, "--json"], **ask)
        assert json.loads(done.stdout.decode(encoding))["run"] == path.name
