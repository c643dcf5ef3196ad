"""How a wrong result differs from the right one: the same words for other numbers, and never an exception."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.agents.steps import find_wrong_step
from tutelage.memory.pattern import relations


def seen(question: str, gold: str, text: str) -> tuple[str, ...]:
    """Return the relations of an attempt as the memory sees it."""
    given = text.rpartition("Answer: ")[2]
    return relations(question, gold, given, find_wrong_step(question, text), text)


@pytest.mark.parametrize(
    ("question", "gold", "given", "relation"),
    [
        ("What is 58 + 27?", "85", "75", "no carry"),
        ("What is 51 - 26?", "25", "35", "smaller digit from larger"),
        ("What is 51 - 26 + 17?", "42", "52", "smaller digit from larger"),
        ("What is 51 - 26?", "25", "77", "subtraction done as addition"),
        ("What is 26 - 51?", "-25", "25", "sign lost"),
        ("Multiply 23 * 14.", "322", "115", "place of a digit ignored"),
        ("Multiply 23 * 14.", "322", "299", "one time too few or too many"),
        ("What is 17 + 25 - 12?", "30", "42", "a term left out"),
        ("What is 17 + 25 - 12?", "30", "21", "digits of an operand exchanged"),
        ("What is 2 + 3 * 4?", "14", "20", "left to right"),
        ("What is 2 * (3 + 4)?", "14", "10", "parentheses ignored"),
        ("What is 1.42 + 5.7?", "7.12", "1.99", "places not under one another"),
        ("What is 17 / 5?", "3.4", "3", "remainder ignored"),
        ("Simplify 6/8.", "3/4", "4/3", "fraction upside down"),
        ("Simplify 6/8.", "3/4", "3/8", "same numerator, another denominator"),
        ("Simplify 6/8.", "3/4", "6/8", "right value in another form"),
        ("Simplify 6/8.", "3/4", "6/4", "numerator as in the question"),
        ("Simplify 6/8.", "3/4", "3/8", "denominator as in the question"),
        ("He has 9 and gives 4 away.", "5", "13", "off by twice a number of the question"),
        ("The LCM of 4, 6", "12", "24", "a product of the question's numbers"),
        ("The GCD of 8, 12", "4", "2", "divides the question's numbers"),
        ("How many days?", "7", "168", "off by the factor 24"),
        ("How many?", "413", "431", "digits exchanged"),
        ("Sort down", "3, 2, 1", "1, 2, 3", "items the other way round"),
        ("Sort", "['-9', '3', '10']", "['3', '-9', '10']", "two neighbouring items exchanged"),
        ("Sort", "['-19', '-2', '3', '8']", "['-2', '3', '8', '-19']", "items sorted by size without the sign"),
        ("Reverse", "elppa", "elpa", "letters left out"),
    ],
)
def test_what_a_final_answer_shows(question: str, gold: str, given: str, relation: str) -> None:
    assert relation in seen(question, gold, f"Answer: {given}")


def test_a_part_that_is_right_is_not_said_to_come_from_the_question() -> None:
    found = seen("What is 5/8 - 2/8?", "3/8", "Answer: 2/8")
    assert "numerator as in the question" in found and "denominator as in the question" not in found


def test_the_same_mistake_reads_the_same_with_other_numbers_and_in_words() -> None:
    alone = seen("What is 51 - 26?", "25", "Answer: 35")
    assert alone == seen("What is 62 - 38?", "24", "62 - 38 = 36.\nAnswer: 36") == ("smaller digit from larger",)
    assert alone == seen("Tom has 94 and eats 69.", "25", "So 94 - 69 gives 35.\nAnswer: 35")


def test_an_unexplained_result_is_described_by_its_looks() -> None:
    assert seen("How many?", "100", "Answer: 40") == ("too small", "last digit right", "about half")
    assert relations("How many?", "100", None, None, "I do not know") == ()


TEXT = st.text("0123456789+-*/().=, '[]$%€xab\n", max_size=120) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT)
def test_no_text_makes_it_raise(question: str, gold: str, given: str, text: str) -> None:
    found = relations(question, gold, given, find_wrong_step(question, text), text)
    assert len(found) == len(set(found))
    assert all(isinstance(one, str) for one in found)


@pytest.mark.parametrize(
    "piece", ["1-", "1 - ", "((", "-(", "1+(", "- ", "1 ", "1-2 a", "1+1 gives ", "12", "9*9)", ", 1"]
)
def test_hostile_texts_take_little_time(piece: str) -> None:
    text = (piece * 2000)[:2000]
    for tail in ("", "x", ")"):
        began = time.process_time()
        relations("What is 1 + 1?", "2", "3", None, text[: 2000 - len(tail)] + tail)
        relations(text, "2", "3", None, "")
        assert time.process_time() - began < 0.1
