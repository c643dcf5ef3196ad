"""What is wrong with a configuration is told with its file and line, or with the override that brought it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tutelage.configfile import load_config
from tutelage.configplace import with_place

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
WRONG_RATE = "stages: sft: learning_rate: Input should be less"


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


def test_an_override_is_named_in_place_of_the_file(source: Path) -> None:
    override = "training.stages.0.options.learning_rate=2.0"
    assert placed(source, WRONG_RATE, [override]) == f"--set {override}: {WRONG_RATE}"


def test_what_the_file_does_not_hold_has_no_line(source: Path) -> None:
    assert placed(source, "memory.server: cannot be reached").startswith(f"{source}: memory.server")


@pytest.mark.parametrize("message", ["stages: sft: cannot be made", "data.jsonl:3: no answer", "unexpected: x", ""])
def test_what_could_stand_in_two_places_or_in_none_is_told_as_it_is(source: Path, message: str) -> None:
    assert placed(source, message) == message
