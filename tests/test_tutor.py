"""The scripted tutor reads the prompt alone, and acts on each thing that it hears."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.agents.prompts import teaching_messages
from tutelage.agents.steps import find_wrong_step
from tutelage.agents.teachers.grains import GRAINS, write_step
from tutelage.arithmetic import work
from tutelage.schema import (
    Attempt,
    EarlierRationale,
    ProbeError,
    Problem,
    RecalledError,
    Split,
    TeachingRequest,
    Weakness,
    WrongStep,
)
from tutelage.testing import reply_as_tutor, scripted_tutor

BORROW = "subtraction with borrow"
WEAK = Weakness(name=BORROW, description="x: y (z)", pass_rate=0.2, support=9, severity=0.3)
PROBLEM = Problem(question="51 - 26 + 7 =", answer="32")


def attempt(text: str, skill: str = BORROW, correct: bool = False) -> Attempt:
    step = (
        None if correct else WrongStep(kind="equation", start=0, end=len(text), expected="25", found="35", skill=skill)
    )
    return Attempt(
        id="a", problem_id="p", split=Split.PROBE, cycle=1, student="base", text=text, answer=None,
        score=float(correct), correct=correct, logprob=-1.0, tokens=5, finish_reason="stop", wrong_step=step,
    )  # fmt: skip


def borrowed(grain: str) -> str:
    return f"{written('51 - 26', grain)} 25 + 7 = 32.\nAnswer: 32"


def written(expression: str, grain: Any) -> str:
    return " ".join(write_step(work(expression)[0], grain))


def recalled(solution: str, fixed: bool | None, said: str = "72 - 38 = 44") -> RecalledError:
    wrong = attempt(said)
    return RecalledError(
        id="e", problem_id="q", question="72 - 38 =", attempt=wrong.text, wrong_step=wrong.wrong_step, taught=solution,
        fixed=fixed,
    )  # fmt: skip


def earlier(grain: str, correct: bool) -> EarlierRationale:
    return EarlierRationale(
        rationale_id="r", cycle=1, text=borrowed(grain), after=attempt("51 - 26 = 35", BORROW, correct)
    )


ELSEWHERE = ProbeError(problem=Problem(question="9 - 1 =", answer="8"), attempt=attempt("x = 1"))
DONE_FINE = ProbeError(
    problem=Problem(question="72 - 38 =", answer="34"), attempt=attempt(written("72 - 38", "fine"), "another kind")
)
HEARD: list[tuple[dict[str, Any], str]] = [
    ({}, "direct"),
    ({"attempts": [attempt("51 - 26 = 35")]}, "place value"),
    ({"weakness": WEAK}, "place value"),
    ({"weak_skills": ["long multiplication", BORROW]}, "place value"),
    ({"weak_skills": ["long multiplication"]}, "direct"),
    ({"history": [ELSEWHERE]}, "place value"),
    ({"attempts": [attempt(written("51 - 26", "fine"), "another kind")], "weakness": WEAK}, "fine"),
    ({"history": [DONE_FINE]}, "fine"),
    ({"recalled": [recalled("", None, written("72 - 38", "fine"))]}, "fine"),
    ({"recalled": [recalled(written("72 - 38", "fine"), True)]}, "fine"),
    ({"recalled": [recalled(written("72 - 38", "place value"), True)]}, "place value"),
    ({"recalled": [recalled(written("72 - 38", "place value"), False)]}, "fine"),
    ({"recalled": [recalled(written("72 - 38", "fine"), True), recalled(written("72 - 38", "direct"), False)]}, "fine"),
    ({"earlier": [earlier("place value", False)]}, "fine"),
    ({"earlier": [EarlierRationale(rationale_id="r", cycle=1, text=borrowed("fine"), rejected="too long")],
      "attempts": [attempt("51 - 26 = 35")]}, "direct"),
]  # fmt: skip


@pytest.mark.parametrize(("heard", "grain"), HEARD)
def test_a_step_is_written_as_fine_as_the_prompt_asks(heard: dict[str, Any], grain: str) -> None:
    request = TeachingRequest.model_validate({"problem": PROBLEM, **heard})
    assert reply_as_tutor(teaching_messages(request)) == borrowed(grain)


def test_the_grains_of_the_cases_differ() -> None:
    assert len({borrowed(grain) for grain in GRAINS}) == 3


def test_what_it_says_after_a_repair_turn_is_the_same() -> None:
    messages = teaching_messages(TeachingRequest(problem=PROBLEM))
    turn = [{"role": "assistant", "content": "hm"}, {"role": "user", "content": "again"}]
    assert reply_as_tutor([*messages, *turn]) == reply_as_tutor(messages)


def test_without_arithmetic_it_knows_only_the_answer() -> None:
    messages = teaching_messages(TeachingRequest(problem=Problem(question="Where is Paris?", answer="France")))
    assert reply_as_tutor(messages) == "It is France.\nAnswer: France"


@given(st.integers(1, 999), st.sampled_from("+-"), st.integers(1, 999), st.sampled_from(GRAINS))
def test_every_step_holds(left: int, op: str, right: int, grain: Any) -> None:
    problem = Problem(question=f"{left} {op} {right} =", answer="0")
    reply = scripted_tutor(grain)(teaching_messages(TeachingRequest(problem=problem)))
    assert find_wrong_step(problem.question, reply) is None


@given(st.text(max_size=400))
def test_any_prompt_is_survived(text: str) -> None:
    reply_as_tutor([{"role": "user", "content": text}])
    reply_as_tutor([{"role": "user", "content": f"<question>\n51 - 26 =\n</question>\n{text}"}])
