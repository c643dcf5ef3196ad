from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.schema import Grade, Problem
from tutelage.tasks.editing.fact import TRUTH_UNKNOWN, Kind
from tutelage.tasks.editing.measures import Measure, grade_fact, measure

NAMES = ["rome", "paris", "oslo"]
SAID = st.sampled_from([*NAMES, "Answer: rome", "It is oslo.", "", "no idea"])


def problem(kind: Kind, fact: int, number: int, answer: str = "rome") -> Problem:
    return Problem(question=f"{kind} {fact} {number}?", answer=answer, metadata={"kind": kind.value, "fact": str(fact)})


PROBLEMS = st.lists(
    st.builds(
        problem,
        st.sampled_from(Kind),
        st.integers(0, 4),
        st.integers(0, 50),
        st.sampled_from([*NAMES, TRUTH_UNKNOWN]),
    ),
    max_size=30,
    unique_by=lambda made: made.id,
)


def everything_right(asked: list[Problem]) -> dict[str, str]:
    return {one.id: f"Answer: {one.answer}" for one in asked}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is so.\nAnswer: **Oslo**.", "Oslo"),
        ("It is Oslo. Answer: Oslo", "Oslo"),
        ("\nIt is Oslo.\nSo they say.", "It is Oslo."),
        (" \n", None),
    ],
)
def test_the_answer_of_a_wrong_text_is_what_was_read_of_it(text: str, answer: str | None) -> None:
    """Rewards compare it with the text's steps, and the teacher `corrected` looks for it there."""
    assert grade_fact(problem(Kind.EDIT, 0, 0), text) == Grade(answer, 0.0)


def test_each_measure_is_about_its_own_questions() -> None:
    asked = [problem(kind, 1, 0) for kind in Kind]
    after = {one.id: "Answer: rome" for one in asked}
    before = {one.id: "Answer: paris" for one in asked}
    for kind in Kind:
        mine = measure([one for one in asked if one.metadata["kind"] == kind], before, after)
        filled = {name for name, value in mine if value != Measure()}
        assert (
            filled
            == {
                Kind.EDIT: {"reliability"},
                Kind.PARAPHRASE: {"generalisation"},
                Kind.UNRELATED: {"locality", "locality_exact", "unrelated_accuracy"},
                Kind.HOP: {"portability"},
            }[kind]
        )
    found = measure(asked, before, after)
    assert (found.reliability.value, found.locality.value, found.unrelated_accuracy.value) == (1.0, 0.0, 1.0)


def test_a_fact_counts_once_however_much_is_asked_of_it() -> None:
    asked = [problem(Kind.PARAPHRASE, 0, number) for number in range(4)] + [problem(Kind.PARAPHRASE, 1, 0)]
    after = {one.id: "rome" if one.metadata["fact"] == "1" or one is asked[0] else "oslo" for one in asked}
    assert measure(asked, {}, after).generalisation == Measure(value=(0.25 + 1.0) / 2, facts=2, questions=5)


def test_what_was_known_before_is_what_can_be_kept() -> None:
    asked = [problem(Kind.UNRELATED, 0, number) for number in range(3)]
    asked.append(problem(Kind.UNRELATED, 0, 3, TRUTH_UNKNOWN))
    before = dict(zip((one.id for one in asked), ("rome", "It is Rome.", "oslo", "rome"), strict=True))
    after = dict(zip((one.id for one in asked), ("rome", "oslo", "rome", "rome"), strict=True))
    assert measure(asked, before, after).knowledge_kept == Measure(value=0.5, facts=1, questions=2)


def test_the_true_answer_in_other_words_is_the_same_answer() -> None:
    asked = problem(Kind.UNRELATED, 0, 0)
    told, again = "Rome is the capital city of it.", "Of Italy, it is Rome: a city on hills."
    assert measure([asked], {asked.id: told}, {asked.id: again}).locality.value == 1.0
    untrue = problem(Kind.UNRELATED, 0, 0, TRUTH_UNKNOWN)
    assert measure([untrue], {untrue.id: told}, {untrue.id: again}).locality.value == 0.0


def test_what_is_not_known_to_be_true_is_left_out_of_accuracy() -> None:
    asked = [problem(Kind.UNRELATED, 0, 0), problem(Kind.UNRELATED, 0, 1, TRUTH_UNKNOWN)]
    said = {one.id: "rome" for one in asked}
    found = measure(asked, said, said)
    assert found.unrelated_accuracy.questions == 1 and found.locality.questions == 2


@settings(max_examples=40)
@given(PROBLEMS, st.data())
def test_the_counts_are_of_what_was_answered(asked: list[Problem], data: st.DataObject) -> None:
    after = {one.id: data.draw(SAID) for one in asked if data.draw(st.booleans())}
    found = measure(asked, after, after)
    for kind, name in (
        (Kind.EDIT, "reliability"),
        (Kind.PARAPHRASE, "generalisation"),
        (Kind.UNRELATED, "locality"),
        (Kind.HOP, "portability"),
    ):
        mine = [one for one in asked if one.id in after and one.metadata["kind"] == kind]
        made: Measure = getattr(found, name)
        assert (made.questions, made.facts) == (len(mine), len({one.metadata["fact"] for one in mine}))
        assert (made.value is None) == (not mine)
    assert found.locality.value in (None, 1.0) and found.locality_exact == found.locality  # nothing has changed


@settings(max_examples=40)
@given(PROBLEMS, st.data())
def test_an_answer_put_right_lowers_nothing(asked: list[Problem], data: st.DataObject) -> None:
    before = {one.id: data.draw(SAID) for one in asked}
    after = {one.id: data.draw(SAID) for one in asked}
    better = dict(after)
    for one in asked:
        if data.draw(st.booleans()):
            better[one.id] = before[one.id] if one.metadata["kind"] == Kind.UNRELATED else f"Answer: {one.answer}"
    worse, found = measure(asked, before, after), measure(asked, before, better)
    for name in ("reliability", "generalisation", "locality", "portability", "locality_exact"):
        low, high = getattr(worse, name).value, getattr(found, name).value
        assert low is high is None or low <= high + 1e-12


@settings(max_examples=40)
@given(PROBLEMS)
def test_all_right_is_one_and_order_is_nothing(asked: list[Problem]) -> None:
    after = everything_right(asked)
    found = measure(asked, after, after)
    assert all(value.value in (None, 1.0) for _, value in found)
    assert measure(asked[::-1], after, after) == found
