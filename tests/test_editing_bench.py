"""The bench of editing: its arms can be made, and what it replays comes in turns."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tutelage.plugins import Plugin, build
from tutelage.schema import REHEARSED, Lesson


@pytest.fixture(scope="module")
def rounds() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent.parent / "bench"))
        yield importlib.import_module("editing_rounds")
        for name in ("editing_rounds", "editing_arms", "editing_student"):
            sys.modules.pop(name, None)


def test_every_arm_can_be_made(rounds: ModuleType) -> None:
    arms = importlib.import_module("editing_arms")  # on the path as long as `rounds` is
    for arm in arms.ARMS.values():
        for stage in (*arm.stages, *arm.last):
            build("stages", Plugin.model_validate(stage)).check()
        assert arm.with_options({"epochs": 2}).stages[0]["options"]["epochs"] == 2


def test_what_is_replayed_comes_in_turns(rounds: ModuleType) -> None:
    lessons = [Lesson(problem_id=str(n), cycle=0, question="q", text="t", origin=REHEARSED) for n in range(5)]
    drawn = [one.problem_id for number in range(5) for one in rounds._turn(lessons, 2, number)]
    assert sorted(drawn) == sorted(2 * [one.problem_id for one in lessons])
    assert rounds._turn([], 3, 1) == [] and len(rounds._turn(lessons, 9, 1)) == 5


def test_half_of_the_earlier_edits_taught_again_are_the_latest(rounds: ModuleType) -> None:
    lessons = [Lesson(problem_id=str(n), cycle=0, question="q", text="t", origin="reference") for n in range(9)]
    drawn = [[one.problem_id for one in rounds._again(lessons, 4, number)] for number in range(2)]
    assert drawn == [["7", "8", "0", "1"], ["7", "8", "2", "3"]]
    assert rounds._again([], 4, 1) == [] and rounds._again(lessons, 0, 1) == []
