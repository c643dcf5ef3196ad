"""Wrong configuration is refused in one line that names file, line, field and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.config import RunConfig
from tutelage.configfile import dump_config, load_config, parse_config
from tutelage.errors import InputError
from tutelage.testing import fake_config

GOOD = "name: one\ntask:\n  name: reasoning_gym\n  options: {dataset: chain_sum}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + "studnet: {}\n", "config.yaml:5: studnet: unknown key; did you mean 'student'?"),
        (GOOD + "student:\n  modle: x\n", "config.yaml:6: student.modle: unknown key; did you mean 'model'?"),
        (GOOD + "stop: {cycles: 0}\n", "config.yaml:5: stop.cycles: must be at least 1, not 0"),
        (GOOD + "student: {batch_size: many}\n", "config.yaml:5: student.batch_size: "),
        (GOOD + "training:\n  stages:\n    - nmae: sft\n", "config.yaml:7: training.stages.0."),
        (GOOD + "teachers: []\n", "config.yaml:5: teachers: "),
        ("name: one\n", "config.yaml: task: missing; add it"),
        ("name: one\ntusk: facts\n", "config.yaml:2: tusk: unknown key; did you mean 'task'?"),
        ("name: [\n", "config.yaml:2: not YAML"),
        ("- 1\n", "config.yaml:1: a configuration is a mapping"),
        ("name: !env X\n", "config.yaml:1: not YAML"),
        ("name: 2020-13-45\n", "config.yaml: not YAML"),
        (GOOD + "name: ../out\n", "name"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config(write(tmp_path, text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.yaml: cannot be read"):
        load_config(tmp_path / "no.yaml")


def test_overrides_reach_every_depth(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "teachers: [textbook]\ntraining: {stages: [{name: sft}]}\n")
    config = load_config(
        path,
        ["stop.cycles=5", "retention=null", "training.stages.0.options.learning_rate=0.1", "teachers.0=reference"],
    )
    assert config.stop.cycles == 5
    assert config.retention is None
    assert config.training.stages[0].options == {"learning_rate": 0.1}
    assert config.teachers[0].name == "reference"
    assert load_config(path, ["teachers.0.options.grain=fine"]).teachers[0].options == {"grain": "fine"}


@pytest.mark.parametrize(
    "override", ["stop.cycles", "stop.cycles.deep=1", "teachers.9=x", "stop.cylces=1", "=1", "name=2020-13-45"]
)
def test_a_wrong_override_is_refused(tmp_path: Path, override: str) -> None:
    with pytest.raises(InputError):
        load_config(write(tmp_path, GOOD + "stop: {cycles: 1}\nteachers: [textbook]\n"), [override])


def test_a_configuration_survives_a_round_trip(tmp_path: Path) -> None:
    config = parse_config(fake_config())
    path = write(tmp_path, dump_config(config))
    assert load_config(path) == config


def test_every_field_is_documented() -> None:
    def undocumented(model: type, at: str) -> list[str]:
        missing = []
        for name, field in model.model_fields.items():  # type: ignore[attr-defined]
            kind = field.annotation
            kinds = [kind, *getattr(kind, "__args__", ())]
            inner = [k for k in kinds if isinstance(k, type) and hasattr(k, "model_fields")]
            if not field.description and not inner:
                missing.append(f"{at}{name}")
            missing += [m for k in inner for m in undocumented(k, f"{at}{name}.") if "options" not in m]
        return missing

    assert undocumented(RunConfig, "") == []
