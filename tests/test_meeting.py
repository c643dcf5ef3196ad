"""A teacher that asks for it meets the student of each cycle; one whose meeting fails is benched."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError, RunError
from tutelage.errors import BudgetSpent
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.testing import FakeTeacher, fake_config


class Shy(FakeTeacher):
    """Would teach, but something happens when it meets the student."""

    def __init__(self, met: Callable[[Any], Any]) -> None:
        super().__init__("shy")
        self.met = met

    def meet(self, student: Any) -> Any:
        return self.met(student)


def raises(error: BaseException) -> Callable[[Any], Any]:
    def met(student: Any) -> Any:
        raise error

    return met


def config(timeout: float = 60.0, cycles: int = 1) -> dict[str, Any]:
    return fake_config(teach={"timeout": timeout}, stop={"cycles": cycles})


def benched_in(path: Path) -> list[str]:
    return [event["text"] for event in read(RunDir(path).events) if event["kind"] == "benched"]


SHY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "hangs": (lambda s: time.sleep(60), "meet did not end within 2 seconds; raise teach.timeout, or look why it hangs"),
    "raises": (raises(ValueError("no\nstudent")), r"meet failed: ValueError\('no.*student'\); mend the plug-in"),
    "exits": (raises(SystemExit(3)), r"meet failed: SystemExit\(3\); mend the plug-in"),
    "wrong input": (raises(InputError("no")), r"meet failed: InputError\('no'\); mend the plug-in"),
}


@pytest.mark.parametrize("name", SHY)
def test_a_teacher_whose_meeting_fails_is_benched(tmp_path: Path, name: str) -> None:
    met, told = SHY[name]
    shy, good = Shy(met), FakeTeacher("good")
    result = tutelage.run(config(2.0 if name == "hangs" else 60.0), teachers=[shy, good], run_dir=tmp_path / "run")
    (told_of,) = benched_in(result.path)
    assert re.fullmatch(rf"teacher 'shy' benched after 1 failure: {told}", told_of)
    assert not shy.asked and len(result.lessons(1)) == 16


def test_a_meeting_alone_may_end_the_run_in_one_line(tmp_path: Path) -> None:
    told = r"^teacher 'shy': meet failed: OSError\('down'\); mend the plug-in; nobody is left to teach$"
    with pytest.raises(RunError, match=told):
        tutelage.run(config(), teachers=[Shy(raises(OSError("down")))], run_dir=tmp_path / "run")
    assert "OSError: down" in (tmp_path / "run" / "error.log").read_text()


def test_a_teacher_meets_each_cycle_s_student_and_may_do_so_async(tmp_path: Path) -> None:
    seen: list[int] = []

    async def met(student: Any) -> None:
        await asyncio.sleep(0)
        seen.append(student.cycle)

    tutelage.run(config(cycles=2), teachers=[Shy(met)], run_dir=tmp_path / "run")
    assert seen == [1, 2]


def test_a_meeting_without_money_benches_nobody(tmp_path: Path) -> None:
    broke = Shy(raises(BudgetSpent("budget: spent", "stop.max_usd=2")))
    with pytest.raises(RunError, match=r"^budget: spent"):
        tutelage.run(config(), teachers=[broke, FakeTeacher("good")], run_dir=tmp_path / "run")
    assert benched_in(tmp_path / "run") == []
