"""Seams filled by objects from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError, RunError
from tutelage.schema import Split
from tutelage.testing import FakeDiagnostician, FakePlanner, FakePurifier, FakeTask, FakeTeacher, fake_config


def test_objects_fill_the_seams_and_a_resume_asks_for_them(tmp_path: Path) -> None:
    given = {"diagnostician": FakeDiagnostician(), "planner": FakePlanner(), "purifier": FakePurifier()}
    path = tmp_path / "run"
    with pytest.raises(RunError, match="no credit"):
        tutelage.run(fake_config(), teachers=[FakeTeacher(fails="no credit")], run_dir=path, **given)
    with pytest.raises(InputError, match=r"teachers=\['fake'\], diagnostician=True, planner=True, purifier=True"):
        tutelage.resume(path, teachers=[FakeTeacher()])
    result = tutelage.resume(path, teachers=[FakeTeacher()], **given)
    assert [w.name for w in result.reports[1].weaknesses] == ["sums"]
    first = [problem.id for problem in FakeTask().splits()[Split.TRAIN]][:16]
    assert [lesson.problem_id for lesson in result.lessons(1)] == first
    with pytest.raises(InputError, match="planners: 'FakePurifier' lacks plan"):
        tutelage.run(fake_config(), planner=FakePurifier(), run_dir=tmp_path / "other")


@pytest.mark.parametrize(
    ("given", "told"),
    [(FakeTeacher, r"FakeTeacher is a class; give an object, `FakeTeacher\(\)`"), ("textbook", "'textbook' is a name")],
)
def test_what_is_no_teacher_object_is_told_with_the_remedy(tmp_path: Path, given: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        tutelage.run(fake_config(), teachers=[given], run_dir=tmp_path / "run")
