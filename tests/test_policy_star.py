"""STaR: the student is told the answer, in the prompt and nowhere else, and what is right of that is its lesson."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError, RunError, TeachingRequest
from tutelage.agents.teachers.self_taught import SelfTeacher
from tutelage.jsonl import read_json
from tutelage.rundir import RunDir
from tutelage.schema import Diagnosis, Grade, Library, Problem, Split, Strategy
from tutelage.seams import CurrentStudent, Generation, Message
from tutelage.strategies import prompt_with
from tutelage.testing import FakeEngine, fake_config

HINT = re.compile(r"\(The answer is (\d+)\.\)")


class Hinted(FakeEngine):
    """Solves nine of ten problems when it is told the answer, and is what it is when it is not."""

    def __init__(self) -> None:
        super().__init__(lessons_needed=100)
        self.batches: list[int] = []
        self.asked: list[str] = []

    def generate(self, checkpoint: str, prompts: Sequence[Sequence[Message]], **options: Any) -> list[list[Generation]]:
        questions = [prompt[-1]["content"] for prompt in prompts]
        hinted = [HINT.search(question) for question in questions]
        if not any(hinted):
            return super().generate(checkpoint, prompts, **options)
        assert all(hinted) and options["sampled"]
        self.batches.append(len(prompts))
        self.asked += questions
        return [[self._rationale(question)] for question in questions]

    def _rationale(self, question: str) -> Generation:
        share = 1.0 if int(HINT.search(question)[1]) % 10 else 0.0  # type: ignore[index]
        return self._answer(question, share)


def run(tmp_path: Path, engine: Hinted) -> tutelage.Result:
    kept = {k: v for k, v in fake_config().items() if k not in ("plan", "exam", "teachers")}
    return tutelage.run({**kept, "policy": "star"}, engine=engine, run_dir=tmp_path / "run")


def test_it_teaches_itself_what_it_fails_at(tmp_path: Path) -> None:
    engine = Hinted()
    result = run(tmp_path, engine)
    rundir = RunDir(result.path)
    train = {problem.id: problem for problem in rundir.problems()[Split.TRAIN]}
    hopeless = {i for i, problem in train.items() if int(problem.answer) % 10 == 0}
    assert hopeless
    first = result.lessons(1)
    assert {lesson.problem_id for lesson in first} == set(train) - hopeless
    assert {lesson.origin for lesson in first} == {"self"}
    assert not any("The answer is" in lesson.question + lesson.text for lesson in first)
    assert result.reports[1].lessons.rejected == {"wrong answer": len(hopeless)}


def test_its_own_right_answers_are_kept_and_it_begins_from_the_base(tmp_path: Path) -> None:
    engine = Hinted()
    result = run(tmp_path, engine)
    origins = {lesson.origin for lesson in result.lessons(2)}
    assert origins == {"self", "student"}
    asked_again = [r for r in RunDir(result.path).rationales(2)]
    own = {lesson.problem_id for lesson in result.lessons(2) if lesson.origin == "student"}
    assert own and not own & {rationale.problem_id for rationale in asked_again}
    second = read_json(result.path / "checkpoints" / "cycle-002" / "fake.json")["lessons"]
    assert second == len({lesson.problem_id for c in (1, 2) for lesson in result.lessons(c)})


def test_problems_taught_at_once_are_asked_at_once(tmp_path: Path) -> None:
    engine = Hinted()
    run(tmp_path, engine)
    assert len(engine.batches) < len(engine.asked) / 3
    assert max(engine.batches) > 4


def test_it_needs_a_student_and_a_place_for_the_answer() -> None:
    with pytest.raises(InputError, match=r"does not hold \{answer\}"):
        SelfTeacher(hint="You can do it.")


async def test_outside_a_run_it_says_that_it_has_met_nobody() -> None:
    request = TeachingRequest(problem=Problem(question="What is 1 + 1?", answer="2"))
    with pytest.raises(RunError, match="has met no student"):
        await SelfTeacher().teach(request)


async def test_the_student_is_asked_with_the_strategies_of_the_problem_and_not_of_the_hint() -> None:
    strategies = [
        Strategy(
            weakness=name, text=f"way of {name}", question=question, example="so", rationale_id="r", teacher="t",
            cycle=1, questions=(question,), problem_ids=(),
        )
        for name, question in (("sums", "6 + 17"), ("hints", "What is the answer to x + 1 = 2?"))
    ]  # fmt: skip
    heard: list[Sequence[Message]] = []

    class Listening(FakeEngine):
        def generate(self, checkpoint: str, prompts: Any, **options: Any) -> list[list[Generation]]:
            heard.extend(prompts)
            return [[self._answer("What is 1 + 1?", 1.0)] for _ in prompts]

    nothing = Diagnosis(cycle=1, student="base", accuracy=0.0, weaknesses=(), mastery=())
    teacher = SelfTeacher()
    prompt = partial(prompt_with, Library(strategies=tuple(strategies), retrieve=1), None)
    teacher.meet(CurrentStudent(1, 1, Listening(), "base", prompt, lambda *given: Grade(None, 0.0), nothing, probe=()))
    await teacher.teach(TeachingRequest(problem=Problem(question="5 + 4", answer="9")))
    told, *_, asked = heard[0]
    assert told["content"] == "way of sums"
    assert asked["content"] == "5 + 4\n(The answer is 9.)"
