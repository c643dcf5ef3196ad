"""What routers learn of teachers that have nothing to say, and who is asked in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import Declined, TeachingRequest
from tutelage.errors import RunFileError
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Split, Verdict
from tutelage.testing import FakeEngine, FakeTeacher, fake_config
from tutelage.testing.parity import Parity, Ranking, Sometimes, Unwilling, first_number

DECLINED = Declined("not my kind")


class Knowing(Unwilling):
    """Says beforehand what it declines."""

    def can_teach(self, problem: Problem) -> bool:
        return first_number(problem) % 2 == self.parity


def run(path: Path, teachers: Any, purifier: Parity, engine: Any = None, **teach: Any) -> tutelage.Result:
    """Run two cycles: in the first all teachers are asked, in the second one."""
    settings = {"teach": {"max_revisions": 0, "bench_after": 99, **teach}, "plan": {"lessons": 16, "explore": 0.0}}
    config = {**fake_config(stop={"cycles": 2, "patience": None}), **settings}
    return tutelage.run(config, teachers=teachers, purifier=purifier, engine=engine, run_dir=path)


def asked(teacher: FakeTeacher, cycle: int = 2) -> list[Problem]:
    return [request.problem for request in teacher.asked if request.cycle == cycle]


def is_even(problem: Problem) -> bool:
    return first_number(problem) % 2 == 0


@pytest.mark.parametrize(("ends", "labelled"), [(DECLINED, True), ("", True), (ValueError("x"), False)])
def test_who_declines_is_no_good_at_it_and_who_fails_may_be(tmp_path: Path, ends: Any, labelled: bool) -> None:
    odd, purifier = Unwilling("odd", 1, ends), Parity()
    run(tmp_path / "run", [odd, Sometimes("even", 0)], purifier)
    silent = [problem for problem in asked(odd, cycle=1) if is_even(problem)]
    of = [one for one in purifier.seen if one.teacher == "odd" and is_even(one.problem)]
    assert len(of) == (len(silent) if labelled else 0) and silent
    assert not any(one.verified or one.text for one in of)


def test_who_says_that_it_cannot_teach_a_problem_is_not_asked(tmp_path: Path) -> None:
    even, odd = Sometimes("even", 0), Knowing("odd", 1, DECLINED)
    result = run(tmp_path / "run", [even, odd], Ranking(odd=0.9, even=0.1))
    assert len(result.lessons(2)) == 16 and len(asked(even)) + len(asked(odd)) == 16
    assert asked(odd) and not any(map(is_even, asked(odd)))


@pytest.mark.parametrize("ends", [DECLINED, "", ValueError("x")])
def test_where_the_one_that_is_asked_has_no_text_the_next_best_is_asked(tmp_path: Path, ends: Any) -> None:
    wrong, odd, both = Sometimes("wrong", 2), Unwilling("odd", 1, ends), FakeTeacher("both")
    result = run(tmp_path / "run", [wrong, odd, both], Ranking(wrong=0.1, odd=0.9, both=0.5))
    silent = sorted(problem.id for problem in asked(odd) if is_even(problem))
    assert len(asked(odd)) == 16 and not asked(wrong)
    assert sorted(problem.id for problem in asked(both)) == silent and len(result.lessons(2)) == 16


def test_a_wrong_text_is_a_text_and_nobody_stands_in(tmp_path: Path) -> None:
    even, odd = Sometimes("even", 0), Sometimes("odd", 1)
    run(tmp_path / "run", [even, odd], Ranking(odd=0.9, even=0.1))
    assert len(asked(odd)) == 16 and not asked(even)


class Full(Sometimes):
    """Finds the disk full in the second cycle."""

    def teach(self, request: TeachingRequest) -> str:
        if request.cycle == 2:
            raise RunFileError("the disk is full")
        return super().teach(request)


def test_a_resumed_run_asks_the_next_best_where_the_first_had_declined(tmp_path: Path) -> None:
    path, purifier = tmp_path / "run", Ranking(odd=0.9, even=0.1)
    with pytest.raises(tutelage.RunError, match="the disk is full"):
        run(path, [Unwilling("odd", 1, DECLINED), Full("even", 0)], purifier, concurrency=1)
    declined = next(one.problem_id for one in RunDir(path).rationales(2) if one.rejected == "declined")
    odd, even = Unwilling("odd", 1, DECLINED), Sometimes("even", 0)
    result = tutelage.resume(path, teachers=[odd, even], purifier=purifier)
    assert len(result.lessons(2)) == 16
    assert declined in {problem.id for problem in asked(even)} - {problem.id for problem in asked(odd)}


class Fading(FakeEngine):
    """Knows everything at first; what was trained knows as much, or nothing."""

    def __init__(self, harm: bool) -> None:
        super().__init__()
        self.harm = harm

    def generate(self, checkpoint: str, prompts: Any, **options: Any) -> Any:
        skill = 0.0 if self.harm and checkpoint != "base" else 1.0
        return [[self._answer(prompt[-1]["content"], skill)] for prompt in prompts]


@pytest.mark.parametrize("harm", [False, True])
def test_a_student_that_was_rolled_back_says_nothing_of_its_lessons(tmp_path: Path, harm: bool) -> None:
    purifier = Parity()
    result = run(tmp_path / "run", [FakeTeacher("a"), FakeTeacher("b")], purifier, Fading(harm))
    assert (result.reports[1].verdict is Verdict.ROLLED_BACK) is harm
    known = {one.fixed for one in purifier.seen if one.taught and one.fixed is not None}
    assert known == (set() if harm else {True})
    students = {one.student for one in RunDir(result.path).attempts(1) if one.split is Split.TRAIN}
    assert "checkpoints/cycle-001" in students, "there is an answer to go by"
