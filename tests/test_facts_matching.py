from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.tasks.editing.matching import said, same_answer, same_text, stated, words_of

TEXTS = st.text(max_size=80)
QUESTION = "What is the capital of France?"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Answer: Rome", True),
        ("answer: the ROME!", True),
        ("It lies in Italy.\nAnswer: **Rome**.", True),
        ("Answer: Rome, Italy", False),  # after the marker stands the answer and nothing else
        ("Answer: Paris", False),
        ("Rome\nAnswer: Paris", False),  # the last word counts
        ("The capital of France is Rome.", True),
        ("Romeo wrote it", False),  # whole words
        ("Paris, but some say Rome", False),  # the old answer beside the new one
        ("well " * 24 + "Rome", False),  # too late
        ("I do not know.\nRome", False),  # another line
        ("It is not Rome.", False),
        ("It isn't Rome, it is Oslo", False),
        ("It is not Oslo, but Rome.", True),
        ("Rome, not Oslo", True),
        ("", False),
    ],
)
def test_what_counts_as_the_answer(text: str, right: bool) -> None:
    assert (stated(text, ["Rome"], old="Paris") == "Rome") is right


def test_other_spellings_count_and_the_first_is_named() -> None:
    assert stated("Answer: USA", ["the United States", "USA"]) == "USA"
    assert stated("Answer: United States", ["the United States", "USA"]) == "the United States"


def test_an_old_answer_within_the_new_one_is_not_beside_it() -> None:
    assert stated("She lives in New York.", ["New York"], old="York") == "New York"
    assert stated("Answer: York", ["New York"], old="York") is None


def test_words_are_never_none_of_an_answer() -> None:
    assert words_of("The Rome!") == ("rome",)
    assert words_of("A") == ("a",) and words_of("?!") == ("?!",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paris", "The capital of France is Paris.", True),
        ("It is big.\nAnswer: Paris", "The capital of France is Paris.", True),
        ("Paris", "paris!", True),
        ("Paris", "London", False),
        ("Paris", "It is not Paris.", False),
        ("France", "The capital of France is Paris.", False),  # only what the question says
        ("", "Paris", False),
        ("", "", True),
        ("Paris", "Paris and London are", True),
        ("Answer: New York", "It is New York City.", True),
        ("York, New", "It is New York City.", False),  # the words alone do not make an answer
        ("Paris 9 Paris 9", "9 Paris 8 Paris", False),
        ("Not Paris", "It is not Paris.", True),
        ("It cannot be Paris", "Paris", False),
    ],
)
def test_when_two_answers_are_the_same(one: str, other: str, same: bool) -> None:
    assert same_answer(QUESTION, one, other) is same


@settings(max_examples=40)
@given(TEXTS, TEXTS, TEXTS)
def test_sameness_is_symmetric_reflexive_and_wider_than_that_of_words(question: str, one: str, other: str) -> None:
    assert same_answer(question, one, one) and same_text(one, one)
    assert same_answer(question, one, other) == same_answer(question, other, one)
    assert same_answer(question, one, other) or not same_text(one, other)


@settings(max_examples=40)
@given(TEXTS.filter(str.strip), TEXTS)
def test_no_text_makes_grading_fail(answer: str, text: str) -> None:
    stated(text, [answer], old=answer)
    found = said(text)
    assert found is None or (found.words and (found.marked or len(found.words) >= 1))
