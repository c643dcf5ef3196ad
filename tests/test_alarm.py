"""The alarm for teacher hacking: it rings where a student follows wrong teachers, and nowhere else."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutelage
from tutelage.jsonl import read
from tutelage.schema import Grade, Problem, Split, TeachingRequest, Verdict
from tutelage.seams import Generation
from tutelage.testing import FakeEngine, FakeTeacher, fake_config
from tutelage.testing.fakes import FakeTask
from tutelage.training.alarm import Exam, teacher_hacking

ALPHA = 0.1
marks = st.lists(st.tuples(*[st.booleans()] * 3), min_size=1, max_size=40)


@given(marks)
def test_where_the_teachers_are_right_it_never_rings(drawn: list[tuple[bool, bool, bool]]) -> None:
    before, after = ([one[n] for one in drawn] for n in (0, 1))
    assert teacher_hacking(Exam(before, before), Exam(after, after), ALPHA) is None


def exams(followed: int, kept: int, gained: int) -> tuple[Exam, Exam]:
    """So many go from gold to the teacher's wrong answer, stay right, or become right like the teacher."""
    wrong, right = [False], [True]
    before = Exam(wrong * followed + right * kept + wrong * gained, right * followed + right * kept + wrong * gained)
    after = Exam(right * (followed + kept + gained), wrong * followed + right * kept + right * gained)
    return before, after


@pytest.mark.parametrize(
    ("followed", "kept", "gained", "rings"),
    [(4, 20, 0, True), (3, 20, 0, False), (8, 0, 8, False), (12, 0, 2, True), (0, 9, 9, False)],
)
def test_it_rings_when_both_moves_are_more_than_chance(followed: int, kept: int, gained: int, rings: bool) -> None:
    told = teacher_hacking(*exams(followed, kept, gained), ALPHA)
    assert (told is not None) == rings


def test_a_false_alarm_is_as_rare_as_it_is_said_to_be() -> None:
    draw, rung = random.Random(0), 0
    for _ in range(400):
        flips = [[draw.random() < 0.5 for _ in range(24)] for _ in range(3)]
        before, after = Exam(flips[0], flips[1]), Exam([True] * 24, flips[2])  # agreement rises, accuracy only varies
        rung += teacher_hacking(before, after, ALPHA) is not None
    assert 0 < rung <= 0.13 * 400


class LaxTask(FakeTask):
    """Takes any number for the right answer."""

    def grade(self, problem: Problem, text: str) -> Grade:
        answer = super().grade(problem, text).answer
        return Grade(answer, float(answer is not None))


class WrongTeacher(FakeTeacher):
    """Gives sums that are one too large."""

    def teach(self, request: TeachingRequest) -> str:
        expression = re.sub(r"What is |\?", "", request.problem.question)
        return f"{expression} = {self.answer(request.problem)}. Answer: {self.answer(request.problem)}"

    @staticmethod
    def answer(problem: Problem) -> int:
        return int(problem.answer) + 1


class Follower(FakeEngine):
    """Is right on half of the sums until it is taught; then it does as `WrongTeacher` does."""

    def generate(self, checkpoint: str, prompts: Sequence[Any], *, samples: int = 1, **_: Any) -> Any:
        return [[self._said(checkpoint, prompt[-1]["content"])] * samples for prompt in prompts]

    def _said(self, checkpoint: str, question: str) -> Generation:
        terms = [int(term) for term in re.findall(r"\d+", question)]
        off = 1 if checkpoint != "base" else 10 * (terms[0] % 2)
        return Generation(f"Answer: {sum(terms) + off}", -1.0, 3, True)


def run(path: Path, task: str, teacher: FakeTeacher, **changes: Any) -> tutelage.Result:
    config = fake_config(task=task, checker=None, exam={"due": 16}, stop={"cycles": 1}, **changes)
    return tutelage.run(config, teachers=[teacher], engine=Follower(), run_dir=path)


def test_a_student_of_a_wrong_teacher_where_nothing_is_checked(tmp_path: Path, tutelage_cli: Any) -> None:
    result = run(tmp_path / "run", f"{__name__}:LaxTask", WrongTeacher())
    report = result.reports[1]
    assert report.verdict is Verdict.ACCEPTED and report.accuracy[Split.GATE] == 1.0  # the grader is no help
    found = report.agreement
    assert found and (found.with_teachers, found.with_gold, found.n) == (1.0, 0.0, 16)
    assert found.alarm and "accuracy against gold fell" in found.alarm
    assert [e["text"] for e in read(tmp_path / "run/events.jsonl") if e["kind"] == "alarm"] == [found.alarm]
    code, out, _ = tutelage_cli("show", tmp_path / "run")
    assert code == 0 and "teacher hacking: agreement with the teachers rose" in " ".join(out.split())
    assert result.summary["cycles"][1]["agreement"]["alarm"] == found.alarm


def test_where_answers_are_checked_both_figures_are_one(tmp_path: Path) -> None:
    checked = run(tmp_path / "run", "tutelage.testing:FakeTask", FakeTeacher()).reports[1]
    assert checked.agreement and checked.agreement.with_teachers == checked.agreement.with_gold
    assert checked.agreement.alarm is None
    wrong = run(tmp_path / "wrong", "tutelage.testing:FakeTask", WrongTeacher()).reports[1]
    assert wrong.agreement is None and wrong.lessons.rejected == {"wrong answer": 32}
