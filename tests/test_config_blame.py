"""What `doctor`, `run`, `resume` and `exam` blame for what is really wrong: the line, or the override."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import tutelage
from tutelage.errors import InputError
from tutelage.testing import FakeEngine, fake_config

Run = Callable[..., tuple[int, str, str]]

CONFIG = """\
name: blamed
task:
  name: reasoning_gym
  options:
    dataset: chain_sum
    sizes: {train: 8, probe: 4, gate: 4, test: 4}
student: {model: tiny}
retention: null
exam: {confirm: 0}
planner: {name: gap-mix, options: {smoothing: 0.5}}
purifier: {name: preference, options: {items: 2}}
teachers:
  - name: textbook
training:
  stages:
    - name: sft
      options:
        modules: [down_proj]
    - name: grpo
      options:
        generations: 4
        prompts_per_step: 4
"""
FIRST, SECOND = "training.stages.0.options", "training.stages.1.options"


@pytest.fixture
def source(in_folder: Path) -> Path:
    path = in_folder / "c.yaml"
    path.write_text(CONFIG)
    return path


OVERRIDES = {
    "planner.options.smoothing=7": "planners: gap-mix: smoothing 7.0 is out of range",
    "planner.name=nothing": "planner: unknown name 'nothing'",
    "planner.name=no:thing": "planners: 'no:thing' cannot be imported",
    "planner.name=every": "planners: every: unknown option 'smoothing'",
    "task.name=no:thing": "tasks: 'no:thing' cannot be imported",
    "teachers.0.name=nothing": "teachers.0: unknown name 'nothing'",
    "teachers.0.name=no:thing": "teachers: 'no:thing' cannot be imported",
    "training.stages.1.name=no:thing": "stages: 'no:thing' cannot be imported",
    "task.options.dataset=chain_sumx": "tasks: reasoning_gym: unknown dataset 'chain_sumx'; did you mean 'chain_sum'?",
    "task.options.sizes.train=0": "tasks: reasoning_gym: sizes.train: 0 is not between",
    "task.options.sizes.train=9999": "tasks: reasoning_gym: chain_sum: split 'train' wants 9999",
    "purifier.options.items=0": "purifiers: preference: items 0 is out of range",
    "student.device=cuda:99": "student.device: 'cuda:99' asked for",
    f"{FIRST}.band=[0.41, 0.42]": "stages: sft: band: the student has no layers named down_proj in the band",
    f"{FIRST}.band=[0.9, 0.1]": "stages: sft: band: [0.9, 0.1] is no part",
    f"{SECOND}.gradient_accumulation=5": "stages: grpo: 4 prompts x 4 generations cannot be cut into 5",
    f"{SECOND}.gradient_accumulation=autoo": "gradient_accumulation: must be a whole number or 'auto', not 'autoo'",
    f"{SECOND}.gradient_accumulation=0": "accumulation: must be at least 1 or 'auto', not 0",
    f"{SECOND}.rewards={{'a[b]': x}}": "stages: grpo: rewards.a[b]: must be a number, not 'x'",
    f"{FIRST}.modules={{a: 3}}": "stages: sft: modules: must be a list, not {'a': 3}",
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_doctor_blames_the_override(tutelage_cli: Run, source: Path, override: str) -> None:
    code, _, err = tutelage_cli(
        "doctor", source, "--set", "task.options.params={max_terms: 2, max_digits: 1}", "--set", override
    )
    assert code == 2
    (line,) = [line for line in err.splitlines() if line.startswith("tutelage: ")]
    assert line.startswith(f"tutelage: --set {override}: ")
    assert OVERRIDES[override] in line


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("smoothing: 0.5", "smoothing: 7", 10),
        ("chain_sum", "chain_sumx", 5),
        ("train: 8", "train: 0", 6),
        ("items: 2", "items: 0", 11),
        ("model: tiny", "model: tiny, device: 'cuda:99'", 7),
        ("name: textbook", "{name: chat, options: {model: ' '}}", 13),
        ("prompts_per_step: 4", "prompts_per_step: 0", 22),
    ],
)
def test_doctor_blames_the_line_whatever_else_is_overridden(
    tutelage_cli: Run, source: Path, right: str, wrong: str, line: int
) -> None:
    source.write_text(CONFIG.replace(right, wrong))
    innocent = ["task.options.sizes.test=5", "planner.options.temperature=1.0", f"{SECOND}.max_steps=3"]
    code, _, err = tutelage_cli("doctor", source, *(part for one in innocent for part in ("--set", one)))
    assert code == 2
    assert err.startswith(f"tutelage: {source}:{line}: ")


def test_a_run_directory_that_is_named_like_a_field_is_no_field(tutelage_cli: Run, source: Path) -> None:
    for name in ("task", "planner"):
        (Path.cwd() / name).mkdir()
        (Path.cwd() / name / "mine.txt").touch()
        code, _, err = tutelage_cli("run", source, "--set", "student.model=tiny", "--run-dir", name)
        assert (code, err) == (2, f"tutelage: run directory {name}: exists and is no empty folder; give another one\n")


def test_exam_blames_the_line_or_the_override_but_not_for_the_student(tutelage_cli: Run, source: Path) -> None:
    told = "tasks: reasoning_gym: unknown option 'nope'"
    arguments = ("exam", "--task", source, "--student")
    _, _, err = tutelage_cli(*arguments, "tiny", "--set", "task.options.nope=x")
    assert err.startswith(f"tutelage: --set task.options.nope=x: {told}")
    _, _, err = tutelage_cli(*arguments, "./nothing")
    assert err.startswith("tutelage: student.model: ./nothing: no such folder")
    source.write_text(CONFIG.replace("dataset: chain_sum", "dataset: chain_sum\n    nope: x"))
    _, _, err = tutelage_cli(*arguments, "tiny")
    assert err.startswith(f"tutelage: {source}:6: {told}")


def test_from_python_the_line_is_told_of_a_file(source: Path) -> None:
    source.write_text(CONFIG.replace("smoothing: 0.5", "smoothing: 7"))
    with pytest.raises(InputError, match=r"c\.yaml:10: planners: gap-mix: smoothing 7"):
        tutelage.run(source, run_dir="run")
    with pytest.raises(InputError, match=r"c\.yaml:10: planners: gap-mix: smoothing 7"):
        tutelage.run(source, run_dir="run", engine=FakeEngine())
    assert not Path("run").exists()


def test_resume_blames_the_override_or_the_run_s_own_line(tutelage_cli: Run, in_folder: Path) -> None:
    (in_folder / "mine.py").write_text(
        "class Mine:\n    name = 'mine'\n    def teach(self, request):\n        return {}['boom']\n"
    )
    (in_folder / "c.yaml").write_text(yaml.safe_dump(fake_config(teachers=["mine:Mine"])))
    assert tutelage_cli("run", "c.yaml", "--run-dir", "run")[0] == 1
    before = Path("run/config.yaml").read_bytes()
    override = f"{FIRST}.max_length=5"
    code, _, err = tutelage_cli("resume", "run", "--set", override)
    assert code == 2
    assert err.startswith(
        f"tutelage: --set {override}: stages: tutelage.testing:FakeStage: unknown option 'max_length'"
    )
    assert Path("run/config.yaml").read_bytes() == before
    Path("run/config.yaml").write_bytes(before.replace(b"mine:Mine", b"no:thing"))
    code, _, err = tutelage_cli("resume", "run")
    line = before.decode().splitlines().index("- name: mine:Mine") + 1
    assert code == 2 and err.startswith(f"tutelage: run/config.yaml:{line}: teachers: 'no:thing' cannot be imported")
