"""The seam of step checkers: an object, a name or none; one that misbehaves ends the run in one line that names it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tutelage
from tutelage import InputError, RunError
from tutelage.agents.steps import find_wrong_step
from tutelage.configfile import parse_config
from tutelage.graphs.consolidate import stage_job
from tutelage.graphs.context import Objects, build_parts
from tutelage.graphs.step_check import StepCheck
from tutelage.plugins import Plugin, build
from tutelage.rundir import RunDir
from tutelage.schema import Problem, WrongStep
from tutelage.seams import StageJob, StepChecker
from tutelage.testing import FakeChecker, FakeTeacher, fake_config

PROBLEM = Problem(question="What is 31 + 26?", answer="57", metadata={"language": "sums"})


def run(tmp_path: Path, config: dict[str, Any] | None = None, **given: Any) -> RunDir:
    return RunDir(tutelage.run(config or fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run", **given).path)


def test_an_object_looks_at_wrong_answers_and_at_rationales(tmp_path: Path) -> None:
    checker = FakeChecker(phrase="clearly")
    teachers = [FakeTeacher("plain"), FakeTeacher("sure", preface="It is clearly so: ")]
    made = run(tmp_path, checker=checker, teachers=teachers)
    told = {(one.teacher, one.rejected) for one in made.rationales(1)}
    assert told == {("plain", None), ("sure", "wrong step")}
    wrong = [a for a in made.attempts(0) if not a.correct]
    assert wrong and {a.text for a in wrong} <= {text for _, text, _ in checker.seen}
    assert all(a.wrong_step is None for a in wrong), "the phrase is not in them, whatever arithmetic says"


def test_it_gets_the_problem_and_cannot_change_it() -> None:
    class Changes:
        def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
            assert problem.metadata.pop("language") == "sums" and truncated
            return None

    check = StepCheck(Changes())
    assert check.find_wrong_step(PROBLEM, "57", truncated=True) is None
    assert check.find_wrong_step(PROBLEM, "57", truncated=True) is None


def test_arithmetic_is_the_default_and_null_checks_no_step(tmp_path: Path) -> None:
    kinds = {a.wrong_step.kind for a in run(tmp_path).attempts(0) if a.wrong_step}
    assert kinds == {"equation"}
    config = fake_config(checker=None, stop={"cycles": 1})
    without = run(tmp_path / "none", config, teachers=[FakeTeacher(preface="1 + 1 = 3. ")])
    assert not any(a.wrong_step for a in without.attempts(0))
    assert {one.rejected for one in without.rationales(1)} == {None}


def test_the_built_in_is_found_by_name() -> None:
    made = build("checkers", Plugin(name="arithmetic"))
    assert isinstance(made, StepChecker)
    found = made.find_wrong_step(PROBLEM, "31 + 26 = 58. Answer: 58")
    assert found is not None and found == find_wrong_step(PROBLEM.question, "31 + 26 = 58. Answer: 58")


def test_a_checker_that_raises_ends_the_run_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^step checker FakeChecker: problem \w+: ValueError\(.*; mend the") as caught:
        run(tmp_path, checker=FakeChecker(phrase=" + ", fails="no idea\nat all"))
    assert "\n" not in str(caught.value)


def test_one_that_fails_at_once_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"step checker FakeChecker: problem \w+: ValueError\('no idea'\)"):
        run(tmp_path, checker=FakeChecker(phrase="Answer", fails="no idea"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="checkers: 'FakeTeacher' lacks find_wrong_step"):
        run(tmp_path, checker=FakeTeacher())
    with pytest.raises(InputError, match=r"checker: .*did you mean 'arithmetic'"):
        run(tmp_path, fake_config(checker="aritmetic"))


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("step 2", "returned a str; return a tutelage.schema.WrongStep or None"),
        (WrongStep(kind="x", start=0, end=99, expected="", found=""), "spans 0 to 99 of a text of 2 characters"),
        (WrongStep(kind="x", start=2, end=1, expected="", found=""), "spans 2 to 1"),
    ],
)
def test_what_is_no_wrong_step_of_the_text_is_refused(returned: Any, told: str) -> None:
    class Returns:
        def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> WrongStep | None:
            made: WrongStep | None = returned
            return made

    with pytest.raises(RunError, match=told):
        StepCheck(Returns(), "mine").find_wrong_step(PROBLEM, "57")


def test_a_coroutine_is_no_wrong_step() -> None:
    class Late:
        async def find_wrong_step(self, problem: Problem, text: str, truncated: bool = False) -> None:
            return None

    with pytest.raises(RunError, match=r"step checker Late: .*returned a coroutine"):
        StepCheck(Late()).find_wrong_step(PROBLEM, "57")  # type: ignore[arg-type]


def test_a_training_process_makes_a_named_checker_again_and_no_object(tmp_path: Path) -> None:
    def job_of(given: StepChecker | None, **overrides: Any) -> StageJob:
        parts = build_parts(parse_config(fake_config(**overrides)), Objects(checker=given))
        rundir = RunDir(tmp_path)
        context: Any = SimpleNamespace(config=parts.config, base=parts.base, checker=parts.checker, rundir=rundir)
        return stage_job(context, 1, 0, None, [])

    assert job_of(None).checker == {"name": "arithmetic", "options": {}}
    assert job_of(None, checker=None).checker == {}
    assert job_of(FakeChecker(phrase="x")).checker == {}
