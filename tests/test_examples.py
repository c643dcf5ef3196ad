"""Every example runs."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tutelage
from tutelage.configfile import load_config
from tutelage.graphs.preflight import examine_config
from tutelage.plugins import installed
from tutelage.rundir import RunDir
from tutelage.testing.chat_server import ChatServer
from tutelage.testing.fuser import reply_as_fuser

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_quickstart_runs_the_tiny_loop() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, EXAMPLES / "quickstart.py"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not done.stderr, "libraries chatter"
    out = done.stdout
    assert time.monotonic() - began < 150  # under a minute on a quiet machine, once the tiny student is built
    cycles = [line.split()[:2] for line in out.splitlines() if line[:1].isdigit() and "{" in line]
    assert [number for number, _ in cycles] == ["0", "1", "2", "3"]
    test = ast.literal_eval(out.split("test: ")[1].splitlines()[0])
    assert test["best"] > test["base"] == 0.0
    assert "a lesson: " in out


def test_custom_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "custom_teacher.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert "lessons by origin: {'number line'}" in out
    test = ast.literal_eval(out.split("test: ")[1].splitlines()[0])
    assert test["best"] > 0.3 > test["base"]
    assert len((EXAMPLES / "custom_teacher.py").read_text().splitlines()) < 30


def test_the_python_of_the_readme(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = (EXAMPLES.parent / "README.md").read_text().split("```python\n")[1].split("```")[0]
    Path("examples").mkdir()
    tiny = (EXAMPLES / "tiny.yaml").read_text()
    assert "cycles: 3" in tiny
    Path("examples/tiny.yaml").write_text(tiny.replace("cycles: 3", "cycles: 1"))  # the quick start runs them all
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    out = capsys.readouterr().out
    test = ast.literal_eval(out.split("}")[0] + "}")
    assert test["best"] > test["base"] == 0.0
    assert "'kind': 'lesson'" in out and Path("runs/mine/checkpoints").is_dir()


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.yaml")))
def test_every_configuration_passes_the_doctor(name: str, tmp_path: Path) -> None:
    with ChatServer(models=["smollm2"]) as server:  # in place of the one that an example asks the reader to start
        (tmp_path / name).write_text((EXAMPLES / name).read_text().replace("http://127.0.0.1:8000/v1", server.base_url))
        assert [check for check in examine_config(load_config(tmp_path / name)).checks if check.problem] == []


def test_many_teachers_come_down_to_one_that_is_sound(tmp_path: Path) -> None:
    overrides = ["stop.cycles=2", f"task.options.path={EXAMPLES / 'sums_and_differences.jsonl'}"]
    config = load_config(EXAMPLES / "many_teachers.yaml", overrides)
    rundir = RunDir(tutelage.run(config, run_dir=tmp_path / "run").path)
    assert len(rundir.rationales(1)) == 4 * 80 and len(rundir.rationales(2)) < 2 * 80
    assert {decision.conflict for decision in rundir.decisions(1)} == {"steps"}
    unsound = {one.id for one in rundir.rationales(2) if one.wrong_step}
    taught = [lesson.rationale_id for lesson in rundir.lessons(2)]
    assert len(taught) == 80 and sum(one in unsound for one in taught) <= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(one.name for one in installed() if one.seam == "purifiers"))
def test_many_teachers_with_each_purifier_by_name(name: str, tmp_path: Path) -> None:
    overrides = [f"purifier={name}", "stop.cycles=2", f"task.options.path={EXAMPLES / 'sums_and_differences.jsonl'}"]
    with ChatServer(reply_as_fuser) as server:
        if name == "aggregate":
            overrides += ["purifier.options.model=fake", f"purifier.options.base_url={server.base_url}"]
        result = tutelage.run(load_config(EXAMPLES / "many_teachers.yaml", overrides), run_dir=tmp_path / "run")
    taught = 4 * 80 if name == "all" else 80
    assert [len(result.lessons(cycle)) for cycle in (1, 2)] == [taught, taught]
    decisions = RunDir(result.path).decisions(2)
    assert {decision.purifier for decision in decisions} == {name}
    if name == "aggregate":
        assert sum(lesson.origin == "purifier aggregate" for lesson in result.lessons(2)) > 40
    if name in ("plackett_luce", "classifier", "similarity", "personalised", "reinforce"):
        fallbacks = {decision.fallback for decision in decisions} - {"drawn, to explore"}
        assert fallbacks == {None} and any(decision.scores for decision in decisions)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_stage_trains_the_real_student(tmp_path: Path) -> None:
    config = load_config(EXAMPLES / "consolidation.yaml")
    result = tutelage.run(config, run_dir=tmp_path / "run")
    wanted = [stage.name for stage in config.training.stages]
    assert {*wanted, "strategies"} == {one.name for one in installed() if one.seam == "stages"}
    for report in result.reports[1:]:
        assert [stage.stage for stage in report.training] == wanted
        assert all(stage.steps or stage.stage == "skill-vector" for stage in report.training)
    vectors = [report.training[wanted.index("skill-vector")] for report in result.reports[1:]]
    assert vectors[0].note and vectors[1].metrics["norm"] > 0
