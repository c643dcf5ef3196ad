"""`teach.hears`: what is left out reaches no teacher; the draft within a lesson always does."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import tutelage
from tutelage.config import Ingredient
from tutelage.schema import TeachingRequest
from tutelage.testing import FakeTeacher, fake_config

INGREDIENTS: tuple[Ingredient, ...] = get_args(Ingredient)


def asked_in_cycle_2(tmp_path: Path, hears: list[str] | None) -> list[TeachingRequest]:
    teacher = FakeTeacher()
    teach = {} if hears is None else {"hears": hears}
    tutelage.run(fake_config(exam={"due": 40}, teach=teach), teachers=[teacher], run_dir=tmp_path / "run")
    return [request for request in teacher.asked if request.cycle == 2]


def told(request: TeachingRequest) -> set[str]:
    """The ingredients that a request holds anything of."""
    told = {name for name in ("attempts", "earlier", "recalled", "history") if getattr(request, name)}
    return told | ({"weaknesses"} if request.weakness or request.weak_skills or request.persistent else set())


def test_a_teacher_hears_everything_by_default(tmp_path: Path) -> None:
    heard = [told(request) for request in asked_in_cycle_2(tmp_path, None)]
    assert set().union(*heard) == set(INGREDIENTS)


@pytest.mark.parametrize("silenced", INGREDIENTS)
def test_what_is_left_out_is_blank_and_the_rest_is_not(tmp_path: Path, silenced: str) -> None:
    heard = [told(r) for r in asked_in_cycle_2(tmp_path, [name for name in INGREDIENTS if name != silenced])]
    assert set().union(*heard) == set(INGREDIENTS) - {silenced}


def test_a_teacher_that_hears_nothing_still_hears_why_its_draft_was_rejected(tmp_path: Path) -> None:
    teacher = FakeTeacher(wrong_first=True)
    config = fake_config(teach={"hears": []}, exam={"due": 40})
    result = tutelage.run(config, teachers=[teacher], run_dir=tmp_path / "run")
    assert [report.lessons.taught for report in result.reports[1:]] == [16, 16]
    assert {note.cycle == request.cycle for request in teacher.asked for note in request.earlier} == {True}
    assert all(not told(request) - {"earlier"} for request in teacher.asked)
