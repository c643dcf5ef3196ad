"""Benching: who fails time and again is asked no more, and the run goes on with the others as long as there are any."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import RunError, TeachingRequest
from tutelage.jsonl import read
from tutelage.rundir import RunDir
from tutelage.testing import FakeEngine, FakeTeacher, fake_config

LESSONS = 16


class Odd(FakeTeacher):
    """A teacher whose lesson is what `act` makes of the request; it may be awaited."""

    def __init__(self, act: Callable[[TeachingRequest], Any], name: str = "odd") -> None:
        super().__init__(name)
        self.act = act

    def teach(self, request: TeachingRequest) -> Any:
        self.asked.append(request)
        return self.act(request)


def right(request: TeachingRequest) -> str:
    return FakeTeacher().teach(request)


def down(request: TeachingRequest) -> str:
    raise OSError("down")


def config(**overrides: Any) -> dict[str, Any]:
    return fake_config(**{"stop": {"cycles": 1}, **overrides})


def benched(path: Path) -> list[dict[str, Any]]:
    return [event for event in read(RunDir(path).events) if event["kind"] == "benched"]


def test_a_teacher_that_fails_now_and_then_is_not_benched(tmp_path: Path) -> None:
    turn = itertools.count()

    def act(request: TeachingRequest) -> str:
        if next(turn) % 5 != 4:
            raise OSError("busy")
        return right(request)

    settings = {"concurrency": 1, "bench_after": 5, "max_revisions": 0}
    result = tutelage.run(
        config(teach=settings, training={**config()["training"], "min_lessons": 1}),
        teachers=[Odd(act)],
        run_dir=tmp_path / "run",
    )
    assert benched(result.path) == []
    assert (result.reports[1].lessons.taught, result.reports[1].lessons.rejected) == (3, {"failed": 13})
    failed = next(r for r in RunDir(result.path).rationales(1) if r.rejected == "failed")
    told = [e["text"] for e in result.trace(failed.problem_id)["events"] if e["kind"] == "draft"]
    assert told == [f"teacher 'odd' failed on problem {failed.problem_id}: OSError('busy')"]


def test_failures_that_end_last_are_no_failures_in_a_row(tmp_path: Path) -> None:
    turn = itertools.count()

    def act(request: TeachingRequest) -> str:
        if next(turn) % 3 == 0:
            time.sleep(0.3)  # as a call that takes all its tries
            raise OSError("busy")
        return right(request)

    settings = {"concurrency": 16, "bench_after": 3, "max_revisions": 0}
    result = tutelage.run(config(teach=settings), teachers=[Odd(act)], run_dir=tmp_path / "run")
    assert benched(result.path) == []
    assert result.reports[1].lessons.rejected == {"failed": 6}


def test_fewer_problems_than_failures_allowed_are_no_empty_cycle(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nobody is left to teach"):
        tutelage.run(config(plan={"lessons": 3}), teachers=[Odd(down)], run_dir=tmp_path / "run")


def test_the_work_of_a_benched_teacher_goes_to_one_that_was_not_asked(tmp_path: Path) -> None:
    class Alternating:
        """Plans every other problem for one teacher."""

        def plan(self, request: Any) -> Any:
            from tutelage.schema import Assignment, LessonPlan

            made = [
                Assignment(problem_id=p.id, teachers=(request.teachers[n % 2],), reason="")
                for n, p in enumerate(request.problems[: request.lessons])
            ]
            return LessonPlan(cycle=request.cycle, assignments=tuple(made))

    odd, good = Odd(down), FakeTeacher("good")
    result = tutelage.run(
        config(teach={"concurrency": 2, "bench_after": 2}),
        teachers=[odd, good],
        planner=Alternating(),
        run_dir=tmp_path / "run",
    )
    assert len(odd.asked) <= 3
    assert {lesson.origin for lesson in result.lessons(1)} == {"good"}
    assert len(result.lessons(1)) == LESSONS == len(good.asked)


def test_lessons_under_way_land_when_the_last_teacher_is_benched(tmp_path: Path) -> None:
    turn = itertools.count()

    async def act(request: TeachingRequest) -> str:
        if next(turn) == 0:
            await asyncio.sleep(0.2)  # the others have begun
            raise OSError("down")
        await asyncio.sleep(1.0)
        return right(request)

    path, settings = tmp_path / "run", {"concurrency": 4, "bench_after": 1, "max_revisions": 0}
    first, again = Odd(act), Odd(right)
    with pytest.raises(RunError, match=r"OSError\('down'\); nobody is left to teach$"):
        tutelage.run(config(teach=settings), teachers=[first], run_dir=path)
    assert next(turn) == 4, "no lesson was begun after that"
    assert len(RunDir(path).rationales(1)) == 3
    result = tutelage.resume(path, teachers=[again])
    assert (len(again.asked), result.reports[1].lessons.taught) == (LESSONS - 3, LESSONS)


def test_a_run_goes_on_where_only_the_student_s_own_answers_can_be_taught(tmp_path: Path) -> None:
    odd = Odd(down)

    class Able(FakeEngine):
        """Answers nine of ten problems."""

        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
            return [[self._answer(prompt[-1]["content"], 0.9)] for prompt in prompts]

    settings = {"policy": "undo", "teach": {"bench_after": 100, "max_revisions": 0}, "stop": {"cycles": 1}}
    kept = {k: v for k, v in fake_config().items() if k not in ("plan", "exam")}
    result = tutelage.run({**kept, **settings}, engine=Able(), teachers=[odd], run_dir=tmp_path / "run")
    assert 0 < len(odd.asked) < 10
    assert result.reports[1].lessons.rejected == {"failed": len(odd.asked)}
    assert result.reports[1].lessons.taught == len(result.lessons(1)) > 20


def test_every_teacher_s_last_failure_is_named_when_nobody_is_left(tmp_path: Path) -> None:
    teachers = [Odd(down, "first"), Odd(lambda r: None, "second")]
    with pytest.raises(RunError, match=r"^teacher 'first' failed on problem .*; teacher 'second' returned nothing;"):
        tutelage.run(config(), teachers=teachers, run_dir=tmp_path / "run")
    assert "OSError: down" in (tmp_path / "run" / "error.log").read_text()


def test_a_teacher_is_asked_no_more_after_it_was_benched_in_an_earlier_cycle(tmp_path: Path) -> None:
    odd = Odd(down)
    settings = {"concurrency": 1, "bench_after": 3}
    result = tutelage.run(
        config(teach=settings, stop={"cycles": 2}), teachers=[odd, FakeTeacher()], run_dir=tmp_path / "run"
    )
    assert len(odd.asked) == 3
    assert [report.lessons.rejected for report in result.reports[1:]] == [{"failed": 3}, {}]
