"""What is wrong with a configuration is told with its file and line, or with the override that brought it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tutelage.configfile import load_config
from tutelage.configplace import SECTIONS, with_place
from tutelage.plugins import SEAMS

CONFIG = """\
task: {name: tutelage.testing:FakeTask}
student: {model: tiny}
teachers:
  - name: reference
training:
  stages:
    - name: sft
      options:
        epochs: 1
        learning_rate: 1.0
    - name: tpsft
    - {name: sft, options: {drift: 2.0}}
"""
WRONG_RATE = "stages: sft: learning_rate: must be "


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def placed(source: Path, message: str, overrides: Sequence[str] = ()) -> str:
    return with_place(message, load_config(source, overrides), source, overrides)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (2, "student.model: is not there"),
        (2, "student.max_new_tokens: is the default, in a section that is there"),
        (4, "teachers: reference: has nothing to say"),
        (10, WRONG_RATE),
        (11, "stages: tpsft: mode: is the default"),
        (11, "stages: 'tpsft' cannot be imported"),
        (12, "stages: sft: drift: needs an adapter"),
        (1, "tasks: tutelage.testing:FakeTask: unknown option 'x'"),
    ],
)
def test_a_message_names_the_line_of_what_it_begins_with(source: Path, line: int, message: str) -> None:
    assert placed(source, message) == f"{source}:{line}: {message}"


def test_every_seam_has_its_place() -> None:
    assert set(SECTIONS) == set(SEAMS)


def test_an_override_is_named_in_place_of_the_file(source: Path) -> None:
    override = "training.stages.0.options.learning_rate=2.0"
    assert placed(source, WRONG_RATE, [override]) == f"--set {override}: {WRONG_RATE}"


def test_what_the_file_does_not_hold_has_no_line(source: Path) -> None:
    assert placed(source, "memory.server: cannot be reached").startswith(f"{source}: memory.server")


@pytest.mark.parametrize(
    "message",
    [
        "stages: sft: cannot be made",
        "data.jsonl:3: no answer",
        "unexpected: x",
        "",
        "student.model.json: no such file",
        "student.\u00b2: is no field",
        "teachers.7: is no teacher",
        f"teachers.{'9' * 5000}: is no teacher",
        "retention.nothing: x",
    ],
)
def test_what_could_stand_in_two_places_or_in_none_is_told_as_it_is(source: Path, message: str) -> None:
    assert placed(source, message) == message


def test_a_file_that_is_not_any_more_what_was_read_is_not_looked_into(source: Path) -> None:
    config = load_config(source)
    for changed in (CONFIG.replace("learning_rate: 1.0", "learning_rate: 2.0"), "{", "\x00"):
        source.write_text(changed)
        assert with_place(WRONG_RATE, config, source) == WRONG_RATE
    source.unlink()
    assert with_place(WRONG_RATE, config, source) == WRONG_RATE


def test_what_an_object_fills_is_not_blamed_on_the_file(source: Path) -> None:
    config, message = load_config(source), "teachers: reference: has nothing to say"
    assert with_place(message, config, source, objects={"planner"}) == f"{source}:4: {message}"
    assert with_place(message, config, source, objects={"teachers"}) == message


def test_of_several_options_that_are_named_the_one_after_the_name_is_blamed_or_the_first_or_the_override(
    source: Path,
) -> None:
    source.write_text(
        CONFIG.replace("name: tpsft", "{name: grpo, options: {\n        generations: 4,\n        rank: 3}}")
    )
    few = "stages: grpo: rank: 3 is too few for 4 generations"
    assert placed(source, few) == f"{source}:13: {few}"
    default = "stages: grpo: prompts_per_step: 3 is too few for 4 generations"
    assert placed(source, default) == f"{source}:11: {default}"
    parts = "stages: grpo: no rank and generations fit; change gradient_accumulation"
    assert placed(source, parts) == f"{source}:13: {parts}"
    override = "training.stages.1.options.gradient_accumulation=5"
    assert placed(source, parts, [override]) == f"--set {override}: {parts}"


def test_one_plug_in_may_stand_where_a_list_belongs(source: Path) -> None:
    source.write_text(
        CONFIG.replace("teachers:\n  - name: reference", "teachers:\n  name: chat\n  options: {model: m}")
    )
    message = "teacher 'chat' (m): cannot be reached; is the model up?"
    assert placed(source, message) == f"{source}:5: {message}"
    override = "teachers.options.model=x"
    assert placed(source, message, [override]) == f"--set {override}: {message}"
