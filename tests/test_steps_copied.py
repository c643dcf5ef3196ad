"""Numbers copied wrongly from the question: found where they look like one of its numbers, and nowhere else."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.agents.steps import find_wrong_step
from tutelage.agents.steps.parts import taken_in_parts

SUM = "What is 8453 - 3863?"
PENS = "Tom has 512 pens in 37 boxes and loses 268 of them."


def kind(question: str, text: str) -> str | None:
    step = find_wrong_step(question, f"{text}. Answer: yes")
    return step.kind if step else None


@pytest.mark.parametrize(
    "text",
    [
        "8453 - 3000 = 5453. 5453 - 800 = 4653. 4653 - 63 = 4590",
        "8453 - 63 = 8390. 8390 - 3800 = 4590",
        "8453 - 3900 = 4553. 4553 + 37 = 4590",
        "8000 - 3000 = 5000. 453 - 863 = -410. 5000 - 410 = 4590",
    ],
)
def test_parts_of_the_question_s_numbers_are_in_order(text: str) -> None:
    assert kind(SUM, text) is None


@pytest.mark.parametrize("text", ["8453 - 863 = 7590", "8453 - 386 = 8067", "8453 - 3683 = 4770", "8454 - 3863 = 4591"])
def test_a_number_that_lost_or_changed_a_digit_is_copied_wrongly(text: str) -> None:
    step = find_wrong_step(SUM, f"First, {text}. Answer: 1")
    assert step is not None
    assert (step.kind, step.start) == ("copied", 7)
    left, right = text.split(" =")[0].split(" - ")
    assert (step.found, step.expected) == ((right, "3863") if left == "8453" else (left, "8453"))


def test_decimals_are_read_to_the_last_digit() -> None:
    question = "What is 6.37 - 4.3 + 12.306?"
    assert kind(question, "6.37 - 4.3 = 2.07. 2.07 + 12.306 = 14.376") is None
    assert kind(question, "6.37 - 4.3 = 2.07. 2.07 + 12 = 14.07. 14.07 + 0.306 = 14.376") is None
    assert kind(question, "6.37 - 4.3 = 2.07. 2.07 + 12.360 = 14.43") == "copied"


def test_to_simplify_a_fraction_is_to_divide() -> None:
    question = "Simplify the fraction 2950/9263 to its lowest terms."
    assert kind(question, "2950 / 59 = 50. 9263 / 59 = 157") is None
    assert kind(question, "2590 / 59 = 43.898") == "copied"


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("512 - 286 = 226", "286", "268"),
        ("521 - 268 = 253", "521", "512"),
        ("517 - 268 = 249", "517", "512"),
        ("512 - 28 = 484", "28", None),
        ("512 - 26 = 486", "26", "268"),
        ("73 * 2 = 146. 512 - 268 = 244", "73", "37"),
        ("512 / 2 = 256. 521 - 268 = 253", "521", "512"),
    ],
)
def test_a_word_problem_s_numbers(text: str, found: str, expected: str | None) -> None:
    step = find_wrong_step(PENS, f"{text}. Answer: yes")
    if expected is None:  # 28 is what February has
        assert step is None
        return
    assert step is not None
    assert (step.kind, step.found, step.expected) == ("copied", found, expected)
    assert found in text[step.start : step.end]


@pytest.mark.parametrize(
    "text",
    [
        "512 - 268 = 244",
        "512 pens - 200 pens = 312 pens. 312 - 68 = 244",
        "He is left with 513 with his own. 513 - 268 = 245",
        "512 + 1 = 513. 513 * 2 = 1026",
        "36 * 2 = 72",
        "260 * 12 = 3120",
        "512 * 1.5 = 768",
        "100 - 37 = 63",
        "37 * 7 = 259. 259 + 268 = 527",
    ],
)
def test_numbers_that_may_have_another_origin_are_in_order(text: str) -> None:
    assert kind(PENS, text) is None


def test_numbers_in_words_are_known() -> None:
    question = "There are twenty-five cups, two hundred plates and 52 forks."
    assert kind(question, "25 + 4 = 29") is None
    assert kind(question, "200 + 4 = 204") is None
    assert kind("There are 52 forks.", "25 + 4 = 29") == "copied"


@given(st.integers(11, 10**9), st.data())
def test_a_number_cut_anywhere_is_taken_in_parts(number: int, data: st.DataObject) -> None:
    place = 10 ** data.draw(st.integers(1, len(str(number)) - 1))
    lead, rest = number - number % place, number % place
    found = taken_in_parts({Fraction(number)}, {Fraction(lead), Fraction(rest)})
    assert found == ({Fraction(lead), Fraction(rest)} if rest else {Fraction(number)})
    assert taken_in_parts({Fraction(number)}, {Fraction(lead + 1)} - {Fraction(number), Fraction(rest)}) == set()


def test_nothing_is_taken_with_zero() -> None:
    assert taken_in_parts({Fraction(3863)}, {Fraction(0), Fraction(863)}) == set()
    assert kind(SUM, "0 + 8453 = 8453. 8453 - 863 = 7590") == "copied"


@settings(max_examples=4, deadline=None)
@given(st.lists(st.sampled_from(["11", "1111", "121", "1.1", " + ", " - ", " = ", ". ", "1,111", "0"]), min_size=2))
def test_hostile_stories_take_little_time(pieces: list[str]) -> None:
    question = "There are " + ", ".join(str(n) for n in range(111_111, 111_150)) + " pens."
    text = ("".join(pieces) * 20_000)[:20_000]
    began = time.process_time()
    find_wrong_step(question, text)
    find_wrong_step(text, text)
    assert time.process_time() - began < 4
