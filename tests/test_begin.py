"""A start that was cut off: what it has left is in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

import tutelage
from tutelage.testing import fake_config


def test_a_start_that_was_cut_off_while_writing_can_be_made_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / ".problems.jsonl-abc123").write_text("half of it")
    assert tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path).summary["status"] == "finished"


@pytest.mark.parametrize("last", ["problems.jsonl", "task.json", "objects.json"])
def test_a_start_that_was_cut_off_between_two_files_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    path = tmp_path / "run"
    replace = Path.replace

    def cut_off(self: Path, target: Path) -> Path:
        replace(self, target)
        if target.name == last:
            raise KeyboardInterrupt
        return target

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", cut_off)
        tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path)
    assert (path / last).exists() and not (path / "config.yaml").exists()
    assert tutelage.run(fake_config(stop={"cycles": 1}), run_dir=path).summary["status"] == "finished"
