"""The teacher that corrects the student's own words: nothing wrong or contradictory is left, and little is changed."""

from __future__ import annotations

import difflib
import random
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tutelage.agents.steps import find_wrong_step
from tutelage.agents.steps.correction import correct, is_sound
from tutelage.agents.teachers.corrected import CorrectedTeacher
from tutelage.errors import Declined
from tutelage.plugins import Plugin, build
from tutelage.schema import Attempt, Problem, TeachingRequest


def attempt(text: str, answer: str | None) -> Attempt:
    return Attempt(
        id="a", problem_id="p", cycle=0, split="train", student="base", sample=0, text=text, answer=answer, score=0.0,
        correct=False, logprob=-1.0, tokens=9, finish_reason="stop",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "text", "wrong", "right", "corrected"),
    [
        ("What is 51 - 26?", "51 - 20 = 41. 41 - 6 = 35. Answer: 35", "35", "25",
         "51 - 20 = 31. 31 - 6 = 25. Answer: 25"),
        ("What is 51 - 26?", "51 - 26 = 25. Answer: 24", "24", "25", "51 - 26 = 25. Answer: 25"),
        ("What is 9 + 5 - 5?", "9 + 5 = 14. 14 - 5 = 11. Answer: 11", "11", "9",
         "9 + 5 = 14. 14 - 5 = 9. Answer: 9"),
        ("What is the capital of Ruvaria?", "The capital of Ruvaria is Paris. Answer: Paris", "Paris", "Oldburgh",
         "The capital of Ruvaria is Oldburgh. Answer: Oldburgh"),
        ("Who wrote Ala?", "Answer: Rix", "Rix", "Vu", "Answer: Vu"),
    ],
)  # fmt: skip
def test_steps_and_conclusion_are_corrected(question: str, text: str, wrong: str, right: str, corrected: str) -> None:
    assert correct(question, text, wrong, right) == corrected


@pytest.mark.parametrize(
    ("question", "text", "wrong", "right"),
    [
        ("What is 7 + 8?", "7 + 7 = 14. Answer: 14", "14", "15"),  # a right step to another question
        ("What is 51 - 26?", "It is 24.", None, "25"),  # no conclusion
        ("What is 51 - 26?", "51 - 20 = 31. 31 - 6 = ", None, "25"),  # cut off
        ("Who wrote Ala?", "Bo Rix wrote it, I think. Rix is a poet. Answer: Rix", "Bo", "Vu"),
        ("Who wrote Ala?", "Answer: Vu", "Vu", "Vu"),  # nothing to correct
        ("Is Paris the capital of Ruvaria?", "Paris is it. Answer: yes", "yes", "no"),  # its reason stays
        ("Which is larger, Oslo or Rome?", "Oslo is larger than Rome. Answer: Oslo", "Oslo", "Rome"),
        ("Tom has 12 apples and 3 pears. How many fruits?", "Tom has 12 apples. Answer: 12", "12", "15"),
        ("Who wrote Ala?", "Rix wrote it.", "Rix wrote it.", "Vu"),  # all of it is read as its answer
    ],
)
def test_what_would_contradict_itself_is_given_up(question: str, text: str, wrong: str | None, right: str) -> None:
    assert correct(question, text, wrong, right) is None


def chain(rng: random.Random) -> tuple[str, str, str, str]:
    """A question, a worked solution with one wrong step that is carried on, its answer, and the right one."""
    value = said = rng.randint(10, 60)
    question, steps = [str(value)], []
    slip = rng.randint(0, 2)
    for number in range(3):
        term = rng.randint(11, 39)
        question += ["+", str(term)]
        value += term
        steps.append(f"{said} + {term} = {said + term + (10 if number == slip else 0)}")
        said += term + (10 if number == slip else 0)
    return f"What is {' '.join(question)}?", f"{'. '.join(steps)}. Answer: {said}", str(said), str(value)


@given(st.integers(0, 10**6))
@example(106192)
def test_a_slip_that_is_carried_on_is_corrected_through_to_the_end(seed: int) -> None:
    question, text, wrong, right = chain(random.Random(seed))
    corrected = correct(question, text, wrong, right)
    if set(re.findall(r"= (\d+)", text)) & set(re.findall(r"\d+", question)):  # carried on, or a term? it may give up
        assume(corrected is not None)
    assert corrected is not None and corrected.endswith(f"Answer: {right}")
    assert find_wrong_step(question, corrected) is None
    assert len(corrected.split(" ")) == len(text.split(" "))
    assert difflib.SequenceMatcher(a=text.split(), b=corrected.split()).ratio() > 0.4


@given(st.text(max_size=80), st.text(max_size=20), st.text(min_size=1, max_size=20))
def test_any_text_is_borne_and_what_comes_back_is_sound(text: str, wrong: str, right: str) -> None:
    corrected = correct("What is 1 + 1?", text, wrong or None, right)
    assert corrected is None or is_sound("What is 1 + 1?", corrected, wrong or None, right)


def test_the_teacher_takes_the_latest_answer_that_can_be_corrected() -> None:
    teacher = build("teachers", Plugin(name="corrected"))
    assert isinstance(teacher, CorrectedTeacher)
    problem = Problem(question="What is 51 - 26?", answer="25")
    hopeless, slip = attempt("No idea.", None), attempt("51 - 26 = 35. Answer: 35", "35")
    older = attempt("So 51 - 26 = 15. Answer: 15", "15")
    request = TeachingRequest(problem=problem, attempts=(hopeless, slip, older))  # the latest first
    assert teacher.teach(request) == "51 - 26 = 25. Answer: 25"
    with pytest.raises(Declined, match="without contradicting itself"):
        teacher.teach(request.model_copy(update={"attempts": (hopeless,)}))
    with pytest.raises(Declined, match="no failed answer"):
        teacher.teach(request.model_copy(update={"attempts": ()}))
