"""What never becomes a lesson, and why; what is only short does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.agents.steps.checker import ArithmeticChecker
from tutelage.answers import extract_answer, same
from tutelage.arithmetic import work
from tutelage.graphs.lesson.judge import judge
from tutelage.schema import Grade, Problem
from tutelage.testing import FakeTask

SUM = Problem(question="What is 31 + 26?", answer="57")


class Words(FakeTask):
    """Any last line `Answer: ...` counts as it stands."""

    def grade(self, problem: Problem, text: str) -> Grade:

        answer = extract_answer(text)
        return Grade(answer, float(answer is not None and same(answer, problem.answer)))


def reason(text: str, problem: Problem = SUM) -> str | None:
    return judge(Words(), problem, text, ArithmeticChecker()).reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("31 + 26 = 57. Answer: 57", None),
        ("31 + 20 = 51. 51 + 6 = 57.\nAnswer: 57", None),
        ("31 plus 26 gives 57. Answer: 57", None),
        ("The answer is 57: 30 + 20 = 50, 1 + 6 = 7, 50 + 7 = 57.\nAnswer: 57", None),
        ("", "empty"),
        (" \n", "empty"),
        ("x" * 9000, "too long"),
        ("31 + 26 = 57.", "no final answer"),
        ("31 + 26 = 58. Answer: 58", "wrong answer"),
        ("31 + 26 = 57. Answer: 58", "wrong answer"),
        ("31 + 26 = 58. Answer: 57", "wrong step"),
        ("31 + 26 = 57. 57 + 1 = 58. Answer: 57", "contradiction"),
        ("31 + 20 = 51. Answer: 57", "contradiction"),
        ("30 + 20 = 50. 50 + 7 = 57. The answer is 58. Sorry. Answer: 57", "contradiction"),
        ("The answer is 58.\nAnswer: 57", "contradiction"),
        ("31 + 26 = 57. So the answer is **57**.\nAnswer: 57", None),
        ("Answer: 57", "no step"),
        ("It is 57.\nAnswer: 57", "no step"),
        ("Let us solve this step by step. The correct answer is 57!\nAnswer: 57", "no step"),
        ("What is 31 + 26? It is 57. Answer: 57", "no step"),
        ("57 = 57. Answer: 57", "no step"),
        ("1. Answer: 57", "no step"),
    ],
)
def test_each_reason(text: str, why: str | None) -> None:
    assert reason(text) == why


PARIS = Problem(question="Where is Paris?", answer="France")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Paris is in France.\nAnswer: France", None),
        ("Its capital is Paris. Answer: France", None),
        ("巴黎是法国的首都。\nAnswer: France", None),
        ("The answer is France.\nAnswer: France", "no step"),
        ("So, France it is.\nAnswer: France", "no step"),
    ],
)
def test_a_short_reason_is_a_reason(text: str, why: str | None) -> None:
    assert reason(text, PARIS) == why


def test_a_letter_is_no_reason_and_a_sentence_is() -> None:
    problem = Problem(question="Where is Paris?\nA) Peru\nB) France", answer="B")
    assert reason("Option B.\nAnswer: B", problem) == "no step"
    assert reason("Paris is in France, so B.\nAnswer: B", problem) is None


CHAINS = st.lists(st.integers(1, 99), min_size=2, max_size=4).map(lambda numbers: " + ".join(map(str, numbers)))


def worked(expression: str) -> tuple[Problem, str, int]:
    steps = work(expression)
    lines = [f"{int(s.left)} {s.op} {int(s.right)} = {int(s.result)}." for s in steps]
    result = int(steps[-1].result)
    return Problem(question=f"What is {expression}?", answer=str(result)), " ".join(lines), result


@settings(deadline=None)
@given(CHAINS, st.integers(1, 50))
def test_right_chains_pass_and_no_other_conclusion_does(expression: str, off: int) -> None:
    problem, lines, result = worked(expression)
    assert reason(f"{lines} Answer: {result}", problem) is None
    assert reason(f"{lines} Answer: {result + off}", problem) == "wrong answer"
    assert reason(f"{lines} The answer is {result + off}.\nAnswer: {result}", problem) == "contradiction"
    further = f"{lines} {result} + {off} = {result + off}. Answer: {result}"
    assert reason(further, problem) in ("contradiction", "wrong step"), "or the number added comes from nowhere"


DECLARATIONS = ["Answer: {}", "The answer is {}.", "It is {}.", "So it is {}!", "**{}**", "#### {}", "{}"]
DECLARATIONS += ["Therefore, the correct answer is {}.", "Sure! Here is the solution.", "Let me think step by step."]


@given(
    st.lists(st.sampled_from(DECLARATIONS), max_size=5, unique=True),
    st.sampled_from(["57", "France", "-3", "red wine", "B"]),
)
def test_declaring_is_no_step(said: list[str], answer: str) -> None:
    problem = Problem(question="A question?", answer=answer)
    text = "\n".join([*(one.format(answer) for one in said), f"Answer: {answer}"])
    assert reason(text, problem) == "no step"


@given(st.text(max_size=300), st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=20))
def test_any_text_is_survived_and_only_a_right_answer_is_taught(text: str, question: str, answer: str) -> None:
    problem = Problem(question=question, answer=answer)
    for said in (text, f"{text}\nAnswer: {answer}", f"{text}\nAnswer: {text}"):
        judged = judge(Words(), problem, said, ArithmeticChecker())
        if judged.reason is None:
            assert Words().grade(problem, said.strip()).score == 1.0


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(["Answer:", "answer is 1 ", ". ", "1", "=", "\n", "?", "a.", " "]), min_size=1, max_size=5)
)
def test_hostile_texts_take_little_time(pieces: list[str]) -> None:
    text = ("".join(pieces) * 8000)[:7900]
    began = time.process_time()
    judge(Words(), SUM, f"{text}\nAnswer: 57", ArithmeticChecker())
    assert time.process_time() - began < 2
