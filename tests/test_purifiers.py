"""Purification: what is chosen of several rationales, what they disagreed in, and that the record of it is kept."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError, TeachingRequest
from tutelage.configfile import parse_config
from tutelage.errors import RunFileError
from tutelage.graphs.context import build_parts
from tutelage.graphs.estimate import bills
from tutelage.rundir import RunDir
from tutelage.schema import Problem, Purified, Rationale, Split
from tutelage.testing import FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer


def wordy() -> FakeTeacher:
    """Return a teacher that says the same at greater length."""
    return FakeTeacher("wordy", preface="Let us see how this sum is worked. ")


class Slipping(FakeTeacher):
    """Right in the answer, wrong in a step."""

    def teach(self, request: TeachingRequest) -> str:
        return "3 + 4 = 8. " + super().teach(request)


def run(path: Path, *, teachers: Sequence[Any] = (), purifier: Any = None, **changes: Any) -> RunDir:
    """Run one cycle; a purifier is a name or an object."""
    named = {"purifier": purifier} if isinstance(purifier, str) else {}
    config = {**fake_config(stop={"cycles": 1}), **named, **changes}
    given = None if isinstance(purifier, str) else purifier
    some = list(teachers) or [wordy(), FakeTeacher("brief")]
    return RunDir(tutelage.run(config, teachers=some, run_dir=path, purifier=given).path)


def test_consensus_takes_what_the_student_finds_likeliest_and_says_why(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier="consensus")
    lessons, decisions = rundir.lessons(1), rundir.decisions(1)
    assert {lesson.origin for lesson in lessons} == {"brief"} and len(lessons) == len(decisions) == 16
    for decision in decisions:
        assert len(decision.candidates) == len(decision.scores) == 2 and decision.purifier == "consensus"
        assert decision.chosen == (max(decision.scores, key=decision.scores.__getitem__),)
        assert decision.conflict is None and decision.fallback is None


def test_all_teaches_every_rationale_at_the_weight_of_one(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier="all")
    lessons = rundir.lessons(1)
    assert len(lessons) == 32 and {lesson.origin for lesson in lessons} == {"wordy", "brief"}
    planned = {a.problem_id: a.weight for a in rundir.plan(1).assignments}  # type: ignore[union-attr]
    for name, weight in planned.items():
        assert sum(lesson.weight for lesson in lessons if lesson.problem_id == name) == pytest.approx(weight)


def test_a_wrong_step_is_only_noted_where_the_answer_alone_is_checked(tmp_path: Path) -> None:
    teachers = [Slipping("slipping"), FakeTeacher("sound")]
    strict = run(tmp_path / "strict", teachers=teachers, purifier="all")
    assert {lesson.origin for lesson in strict.lessons(1)} == {"sound"}
    free = run(tmp_path / "free", teachers=teachers, purifier="all", teach={"check": "answer"})
    assert {lesson.origin for lesson in free.lessons(1)} == {"sound", "slipping"}
    assert all(bool(r.wrong_step) is (r.teacher == "slipping") for r in free.rationales(1))
    for rundir in (strict, free):
        assert {decision.conflict for decision in rundir.decisions(1)} == {"steps"}


class Author:
    """Writes a text of its own in place of what it is given."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        return Rationale(text=self.text.format(problem.question[8:-1], problem.answer))


def test_a_purifier_s_own_text_is_judged_and_kept(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier=Author("We find {0} = {1}. Answer: {1}"))
    assert all(lesson.text.startswith("We find") and lesson.origin == "purifier Author" for lesson in rundir.lessons(1))
    own = [r for r in rundir.rationales(1) if r.teacher == "purifier Author"]
    assert len(own) == 16 and {lesson.rationale_id for lesson in rundir.lessons(1)} == {r.id for r in own}


def test_a_purifier_s_own_wrong_text_is_not_taught(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier=Author("{0} is hard. Answer: -1"))
    assert {lesson.origin for lesson in rundir.lessons(1)} == {"wordy"}
    assert {d.fallback for d in rundir.decisions(1)} == {"its own text was turned away: wrong answer"}
    assert {r.rejected for r in rundir.rationales(1) if r.teacher == "purifier Author"} == {"wrong answer"}


class Rewriter:
    """Puts another text into the first rationale, and leaves its id as it was."""

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Rationale:
        return rationales[0].model_copy(update={"text": "Nonsense. Answer: -1"})


def test_another_text_under_a_known_id_is_judged_too(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier=Rewriter())
    assert {lesson.origin for lesson in rundir.lessons(1)} == {"wordy"}
    assert not any(lesson.text.startswith("Nonsense") for lesson in rundir.lessons(1))


class Generous:
    """Returns one twice, and two texts of its own, one of which is wrong."""

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Purified:
        expression = problem.question.removeprefix("What is ").removesuffix("?")
        own = Rationale(text=f"So {expression} = {problem.answer}. Answer: {problem.answer}")
        wrong = Rationale(text="So what. Answer: -1")
        return Purified(rationales=(rationales[0], rationales[0], own, wrong))


def test_what_is_wrong_among_several_is_left_out_alone(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier=Generous())
    lessons = rundir.lessons(1)
    assert Counter(lesson.origin for lesson in lessons) == {"wordy": 16, "purifier Generous": 16}
    assert all(lesson.weight == 0.5 and len(lesson.chosen_over) == 1 for lesson in lessons)


def test_all_lessons_of_a_problem_are_trained_on_from_the_base_too(tmp_path: Path) -> None:
    base = {"training": {**fake_config()["training"], "start": "base"}, "stop": {"cycles": 2, "patience": None}}
    rundir = run(tmp_path / "run", purifier="all", exam={"due": 8}, **base)
    taught = {lesson.problem_id for cycle in (1, 2) for lesson in rundir.lessons(cycle)}
    assert rundir.training(2)[0].tokens == 2 * len(taught), "the fake stage counts lessons"
    asked = Counter(a.problem_id for a in rundir.attempts(2) if a.split is Split.TRAIN and a.student != "base")
    assert set(asked.values()) <= {1}


def test_a_purifier_s_text_before_a_crash_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, path = sys.modules["tutelage.graphs.purify"], tmp_path / "run"
    original = module.make_lessons

    def crash(*given: Any) -> Any:
        raise OSError("the lights went out")

    monkeypatch.setattr(module, "make_lessons", crash)
    with pytest.raises(tutelage.RunError):
        run(path, purifier=Author("First {0} = {1}. Answer: {1}"))
    monkeypatch.setattr(module, "make_lessons", original)
    teachers = [wordy(), FakeTeacher("brief")]
    tutelage.resume(path, teachers=teachers, purifier=Author("Then {0} = {1}. Answer: {1}"))
    rundir = RunDir(path)
    own = [r for r in rundir.rationales(1) if r.teacher == "purifier Author"]
    assert len(own) == 16 and all(r.text.startswith("Then") for r in own)
    assert {decision.conflict for decision in rundir.decisions(1)} == {None}


class Odd:
    """Returns what no purifier should."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def purify(self, problem: Problem, rationales: Sequence[Rationale]) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("a text", "returned a str; return a Rationale, or a Purified of such"),
        (None, "returned a NoneType"),
        (KeyError("x"), r"^purifier Odd: problem \w+: KeyError\('x'\); mend the plug-in$"),
        (InputError("no such file"), r"^purifier Odd: problem \w+: no such file$"),
        (tutelage.RunError("it is full"), r"^purifier Odd: problem \w+: it is full$"),
        (RunFileError("the disk is full"), "^the disk is full$"),
    ],
)
def test_a_broken_purifier_is_one_line(tmp_path: Path, found: Any, told: str) -> None:
    with pytest.raises(tutelage.RunError, match=told) as caught:
        run(tmp_path / "run", purifier=Odd(found))
    assert "\n" not in str(caught.value)


def test_one_that_chooses_nothing_falls_back_to_the_majority(tmp_path: Path) -> None:
    rundir = run(tmp_path / "run", purifier=Odd(Purified(rationales=())))
    assert len(rundir.lessons(1)) == 16 and {d.fallback for d in rundir.decisions(1)} == {"it chose none"}


def fuse(path: Path, reply: Any, **options: Any) -> RunDir:
    """Run one cycle in which a chat model fuses what two teachers wrote."""
    with ChatServer(reply) as server:
        chat = {"model": "fake", "base_url": server.base_url, "retries": 0, **options}
        config = {**fake_config(stop={"cycles": 1}), "purifier": {"name": "aggregate", "options": chat}}
        return RunDir(tutelage.run(config, teachers=[wordy(), FakeTeacher("brief")], run_dir=path).path)


def test_a_chat_model_fuses_what_the_teachers_wrote(tmp_path: Path) -> None:
    asked: list[list[dict[str, str]]] = []

    def reply(messages: list[dict[str, str]]) -> str:
        asked.append(messages)
        told = re.search(
            r"<question>\nWhat is (.+)\?\n</question>.*<right_answer>\n(\d+)\n", messages[-1]["content"], re.S
        )
        assert told and messages[-1]["content"].count("<solution>") == 2
        return f"Both say that {told[1]} = {told[2]}.\nAnswer: {told[2]}"

    rundir = fuse(tmp_path / "run", reply)
    assert len(asked) == 16
    assert all(
        lesson.text.startswith("Both say") and lesson.origin == "purifier aggregate" for lesson in rundir.lessons(1)
    )
    assert {(d.fallback, len(d.candidates), len(d.chosen)) for d in rundir.decisions(1)} == {(None, 2, 1)}
    assert rundir.reports()[1].cost.calls == 16


@pytest.mark.parametrize(
    ("reply", "why"), [(lambda _: "Hard to say. Answer: -1", "its own text was turned away"), (None, "its call failed")]
)
def test_where_fusing_fails_the_majority_is_taught(tmp_path: Path, reply: Any, why: str) -> None:
    def fails(_: Any) -> str:
        raise OSError("no answer")

    rundir = fuse(tmp_path / "run", reply or fails)
    assert {lesson.origin for lesson in rundir.lessons(1)} == {"wordy"}
    assert all(str(decision.fallback).startswith(why) for decision in rundir.decisions(1))


def test_what_fusing_will_cost_is_told_before(tmp_path: Path) -> None:
    options = {"model": "fake", "base_url": "http://127.0.0.1:1/v1", "price_in": 1.0, "price_out": 2.0}
    config = parse_config({**fake_config(), "purifier": {"name": "aggregate", "options": options}})
    (bill,) = [bill for bill in bills(build_parts(config)) if bill.who == "the purifier"]
    assert bill.likely.calls == bill.most.calls == 16 * config.stop.cycles and bill.most.tokens_in > 0


def test_a_teacher_may_have_the_purifier_s_name(tmp_path: Path) -> None:
    teachers = [FakeTeacher("Author"), wordy()]
    rundir = run(tmp_path / "run", teachers=teachers, purifier=Author("So {0} = {1}. Answer: {1}"))
    assert {lesson.origin for lesson in rundir.lessons(1)} == {"purifier Author"}
    assert {len(decision.candidates) for decision in rundir.decisions(1)} == {2}
