"""The textbook writes true steps at each grain, and finer ones where the student fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.agents.steps import find_wrong_step
from tutelage.agents.teachers.grains import GRAINS
from tutelage.agents.teachers.heard import habits
from tutelage.agents.teachers.textbook import TextbookTeacher
from tutelage.errors import Declined
from tutelage.schema import TOO_LONG, Attempt, EarlierRationale, Problem, Split, TeachingRequest, WrongStep


def request(question: str, answer: str = "0", **given: object) -> TeachingRequest:
    return TeachingRequest.model_validate({"problem": Problem(question=question, answer=answer), **given})


def failed_at(found: str, expected: str, skill: str, student: str) -> Attempt:
    return Attempt(
        id="a", problem_id="p", split=Split.TRAIN, cycle=1, student=student, sample=0, text=f"9 - 9 = {found}.",
        answer=found, score=0.0, correct=False, logprob=-1.0, tokens=9, finish_reason="stop",
        wrong_step=WrongStep(kind="arithmetic", start=0, end=5, found=found, expected=expected, skill=skill),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "grain", "text"),
    [
        ("51 - 26 + 7 =", "direct", "51 - 26 = 25. 25 + 7 = 32. Answer: 32"),
        ("51 - 26 + 7 =", "place value", "51 - 20 = 31. 31 - 6 = 25. 25 + 7 = 32. Answer: 32"),
        ("51 - 26 + 7 =", "fine", "51 - 20 = 31. 31 - 1 = 30. 30 - 5 = 25. 25 + 5 = 30. 30 + 2 = 32. Answer: 32"),
        ("26 - 51 =", "direct", "26 - 51 = -25. Answer: -25"),
        ("26 - 51 =", "place value", "26 - 50 = -24. -24 - 1 = -25. Answer: -25"),
        ("26 - 51 =", "fine", "51 - 20 = 31. 31 - 6 = 25. 26 - 51 = -25. Answer: -25"),
        ("3 - 9 - 5 =", "place value", "3 - 9 = -6. -6 - 5 = -11. Answer: -11"),
        ("3 - 9 - 5 =", "fine", "9 - 3 = 6. 3 - 9 = -6. 6 + 5 = 11. -6 - 5 = -11. Answer: -11"),
        ("3 - 9 + 20 =", "fine", "9 - 3 = 6. 3 - 9 = -6. 20 - 6 = 14. -6 + 20 = 14. Answer: 14"),
        ("12 * 3 =", "fine", "12 * 3 = 36. Answer: 36"),
    ],
)
def test_grains(question: str, grain: str, text: str) -> None:
    assert TextbookTeacher(grain=grain).teach(request(question)) == text


@given(st.lists(st.integers(0, 999), min_size=2, max_size=4), st.data(), st.sampled_from(GRAINS))
def test_every_step_is_true_and_the_answer_is_right(numbers: list[int], data: st.DataObject, grain: str) -> None:
    question = str(numbers[0])
    for number in numbers[1:]:
        question += f" {data.draw(st.sampled_from('+-'))} {number}"
    total = sum(int(part) for part in question.replace("- ", "-").replace("+ ", "").split())
    text = TextbookTeacher(grain=grain).teach(request(f"{question} ="))
    assert find_wrong_step(question, text) is None
    assert text.endswith(f"Answer: {total}")


def test_an_own_failure_makes_that_step_finer_and_no_other() -> None:
    teacher = TextbookTeacher(grain="direct")
    student = "checkpoints/cycle-001"
    failed = failed_at("35", "25", "subtraction with borrow", student)
    text = "51 - 20 = 31. 31 - 6 = 25. 25 + 7 = 32. Answer: 32"
    assert teacher.teach(request("51 - 26 + 7 =", attempts=[failed], cycle=2)) == text
    plain = "51 - 26 = 25. 25 + 7 = 32. Answer: 32"
    assert teacher.teach(request("51 - 26 + 7 =", attempts=[failed], cycle=1)) == plain
    base = failed_at("35", "25", "subtraction with borrow", "base")
    assert teacher.teach(request("51 - 26 + 7 =", attempts=[base], cycle=2)) == plain
    stubborn = TextbookTeacher(grain="direct", adapt="never")
    assert stubborn.teach(request("51 - 26 + 7 =", attempts=[failed], cycle=2)) == plain


def test_a_persistent_weakness_is_finer_everywhere() -> None:
    given = request("26 - 51 + 30 =", persistent=["subtraction below zero"], cycle=2)
    assert TextbookTeacher(grain="direct").teach(given) == "26 - 51 = -25. -25 + 30 = 5. Answer: 5"
    assert (
        TextbookTeacher(grain="direct", adapt="skill").teach(given)
        == "26 - 50 = -24. -24 - 1 = -25. -25 + 30 = 5. Answer: 5"
    )


def test_careless_slips_are_wrong_in_a_step_and_right_in_the_answer() -> None:
    teacher = TextbookTeacher(grain="direct", careless=0.3)
    texts = {n: teacher.teach(request(f"{n} + 7 - 2 =")) for n in range(200)}
    wrong = [n for n, text in texts.items() if find_wrong_step(f"{n} + 7 - 2 =", text)]
    assert 40 <= len(wrong) <= 80
    assert all(text.endswith(f"Answer: {n + 5}") for n, text in texts.items())
    assert texts == {n: teacher.teach(request(f"{n} + 7 - 2 =")) for n in range(200)}


def test_no_arithmetic_is_declined() -> None:
    with pytest.raises(Declined, match="no arithmetic"):
        TextbookTeacher().teach(request("Who wrote Hamlet?"))


def test_a_finer_solution_that_was_too_long_is_taken_back() -> None:
    failed = failed_at("18", "14", "subtraction with borrow", "checkpoints/cycle-001")
    asked = request("42 - 28 =", "14", attempts=[failed], cycle=2)
    finer = TextbookTeacher().teach(asked)
    note = EarlierRationale(rationale_id="r", cycle=2, text=finer, rejected=TOO_LONG)
    again = TextbookTeacher().teach(asked.model_copy(update={"earlier": (note,)}))
    assert again == TextbookTeacher(adapt="never").teach(asked) != finer


def heard(question: str, cycle: int = 1, **given: object) -> str:
    return TextbookTeacher(grain="direct", adapt="errors").teach(request(question, cycle=cycle, **given))


def elsewhere(skill: str, count: int) -> list[dict[str, object]]:
    problem = Problem(question="9 + 1 =", answer="10").model_dump()
    return [{"problem": problem, "attempt": failed_at("35", "25", skill, "base").model_dump()}] * count


def recalled(taught: str | None, fixed: bool | None) -> dict[str, object]:
    step = WrongStep(kind="equation", start=0, end=5, found="35", expected="25", skill="subtraction with borrow")
    return {"id": "e", "problem_id": "q", "question": "42 - 17 =", "attempt": "42 - 17 = 35.", "wrong_step": step,
            "taught": taught, "fixed": fixed}  # fmt: skip


DIRECT, BY_PLACE = "51 - 26 = 25. 25 + 7 = 32. Answer: 32", "51 - 20 = 31. 31 - 6 = 25. 25 + 7 = 32. Answer: 32"
FINE = "51 - 20 = 31. 31 - 1 = 30. 30 - 5 = 25. 25 + 7 = 32. Answer: 32"


def test_habitual_errors_make_their_steps_finer_once_the_student_was_taught() -> None:
    borrow = elsewhere("subtraction with borrow", 5)
    assert heard("51 - 26 + 7 =", 2, history=borrow) == BY_PLACE
    assert heard("51 - 26 + 7 =", 1, history=borrow) == DIRECT, "the base student was not taught so"
    assert heard("51 - 26 + 7 =", 2) == DIRECT
    assert heard("51 - 26 + 7 =", 2, history=borrow[:1]) == DIRECT, "one error is no habit"
    own = failed_at("35", "25", "subtraction with borrow", "checkpoints/cycle-001")
    assert heard("51 - 26 + 7 =", 2, attempts=[own], history=borrow[:1]) == BY_PLACE


def test_a_slip_is_no_habit() -> None:
    slips = [("9 + 3 - 4 =", "addition with carry")] * 2
    assert habits(slips) == {"addition with carry"}
    come_to = [("9 + 3 - 14 =", "subtraction below zero")] * 3  # the sum before was right
    assert habits([*slips, *come_to]) == {"subtraction below zero"}
    assert habits([("no arithmetic", "subtraction below zero")] * 2) == {"subtraction below zero"}
    assert habits([]) == set()


def test_a_lesson_goes_on_from_the_one_before() -> None:
    note = EarlierRationale(rationale_id="r", cycle=1, text=BY_PLACE)
    assert heard("51 - 26 + 7 =", 2, earlier=[note]) == BY_PLACE, "what is not failed at any more stays as fine"
    borrow = elsewhere("subtraction with borrow", 5)
    assert heard("51 - 26 + 7 =", 2, earlier=[note], history=borrow) == FINE
    assert heard("51 - 26 + 7 =", 2, earlier=[note], history=borrow[:1]) == BY_PLACE
    refused = EarlierRationale(rationale_id="s", cycle=2, text=FINE, rejected=TOO_LONG)
    assert heard("51 - 26 + 7 =", 2, earlier=[note, refused], history=borrow) == BY_PLACE


@pytest.mark.parametrize(
    ("taught", "fixed", "text"),
    [
        ("42 - 10 = 32. 32 - 7 = 25. Answer: 25", True, BY_PLACE),
        ("42 - 10 = 32. 32 - 7 = 25. Answer: 25", False, FINE),
        ("42 - 17 = 25. Answer: 25", True, DIRECT),
        ("42 - 17 = 25. Answer: 25", False, BY_PLACE),
        (None, None, BY_PLACE),
    ],
)
def test_what_helped_with_a_past_error_is_imitated(taught: str | None, fixed: bool | None, text: str) -> None:
    assert heard("51 - 26 + 7 =", 2, recalled=[recalled(taught, fixed)] * 2) == text


def test_what_the_student_does_right_is_written_in_its_own_way() -> None:
    base = failed_at("25", "25", "x", "base").model_copy(update={"text": "42 - 17 = 25. State: 25", "wrong_step": None})
    other = {"problem": Problem(question="42 - 17 =", answer="25").model_dump(), "attempt": base.model_dump()}
    thorough = TextbookTeacher(grain="fine", adapt="errors")
    short = "51 - 26 = 25. Answer: 25"
    fine = "51 - 20 = 31. 31 - 1 = 30. 30 - 5 = 25. Answer: 25"
    assert thorough.teach(request("51 - 26 =", history=[other])) == short
    before = {**recalled(None, None), "attempt": base.text, "wrong_step": None}
    assert thorough.teach(request("51 - 26 =", recalled=[before])) == short
    assert thorough.teach(request("51 - 26 =")) == fine
    wrong = {**other, "attempt": {**other["attempt"], "text": "42 - 17 = 35. State: 35"}}
    assert thorough.teach(request("51 - 26 =", history=[wrong])) == fine


def test_one_that_knows_some_skills_is_wrong_at_the_others_though_right_in_the_answer() -> None:
    teacher = TextbookTeacher(grain="direct", knows=["addition without carry"])
    for question, answer, sound in (("What is 21 + 34?", "55", True), ("What is 28 + 34?", "62", False)):
        text = teacher.teach(TeachingRequest(problem=Problem(question=question, answer=answer)))
        assert text.endswith(f"Answer: {answer}")
        assert (find_wrong_step(question, text) is None) is sound
