from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import InputError
from tutelage.tasks.editing.counterfactual import counterfactual_facts
from tutelage.tasks.editing.fact import Fact
from tutelage.tasks.editing.fictional import fictional_facts
from tutelage.tasks.editing.matching import words_of
from tutelage.tasks.editing.names import Namer
from tutelage.tasks.editing.relations import FICTIONAL, ONWARD, WELL_KNOWN
from tutelage.tasks.editing.well_known import well_known
from tutelage.tasks.quiz import QuizTask

ONE_TO_ONE = {"capital", "spouse"}


def check_world(facts: tuple[Fact, ...]) -> None:
    assert len({fact.id for fact in facts}) == len({fact.question for fact in facts}) == len(facts)
    assert len({(fact.subject, fact.relation) for fact in facts}) == len(facts)
    objects = Counter((fact.relation, fact.answer) for fact in facts if fact.relation in ONE_TO_ONE)
    assert set(objects.values()) <= {1}
    edited = {fact.question for fact in facts}
    reworded = {text for fact in facts for text in fact.paraphrases}
    beside = [one.question for fact in facts for one in fact.unrelated]
    assert len(set(beside)) == len(beside) and not set(beside) & (edited | reworded)
    for fact in facts:
        assert len(set(fact.paraphrases) - {fact.question}) >= 3
        for asked in (fact.question, *fact.paraphrases):
            assert fact.subject in asked and not set(words_of(fact.answer)) <= set(words_of(asked))
        assert fact.subject.casefold() in fact.statement.casefold() and fact.answer in fact.statement


@settings(max_examples=8)
@given(st.integers(1, 150), st.integers(0, 5))
def test_fictional_facts_do_not_clash(n: int, seed: int) -> None:
    facts = fictional_facts(n, seed)
    assert len(facts) == n and fictional_facts(n, seed) == facts
    check_world(facts)


def test_thousands_of_fictional_facts() -> None:
    facts = fictional_facts(3000, seed=7)
    check_world(facts)
    assert {fact.relation for fact in facts} == set(FICTIONAL)
    answers = defaultdict(set)
    for fact in facts:
        answers[FICTIONAL[fact.relation].object].add(fact.answer)
        assert fact.chance is not None and fact.old is None
    for kind, given_answers in answers.items():  # the pools are closed, and guessing has a known chance
        chances = {fact.chance for fact in facts if FICTIONAL[fact.relation].object == kind}
        assert len(chances) == 1 and len(given_answers) <= 1 / chances.pop() + 1e-9
    assert fictional_facts(50, 1) != fictional_facts(50, 2)


def test_hops_follow_from_two_facts_that_are_taught() -> None:
    facts = fictional_facts(200)
    known = {(fact.subject, fact.relation): fact.answer for fact in facts}
    asked = [(fact, hop) for fact in facts for hop in fact.hops]
    assert len(asked) > 40
    for fact, hop in asked:
        assert fact.subject in hop.question and fact.answer not in hop.question and hop.answer not in hop.question
        assert hop.answer in [known.get((fact.answer, onward)) for onward in FICTIONAL]
        assert hop.needs in {one.id for one in facts if one.subject == fact.answer and one.answer == hop.answer}


def test_strangers_have_no_true_answer_and_general_questions_have_one() -> None:
    for fact in fictional_facts(30):
        stranger, general = fact.unrelated
        assert stranger.answer is None and general.answer
        assert fact.subject not in stranger.question
    assert len(fictional_facts(3, unrelated=0)[0].unrelated) == 0


def test_counterfactual_facts_change_what_is_true_to_something_of_its_kind() -> None:
    facts = counterfactual_facts(200, seed=3)
    assert facts == counterfactual_facts(200, seed=3) != counterfactual_facts(200, seed=4)
    check_world(facts)
    true = {(one.subject, one.relation): one.object for one in well_known()}
    objects = defaultdict(set)
    for one in well_known():
        objects[one.relation].add(one.object)
    for fact in facts:
        assert fact.old == true[fact.subject, fact.relation] != fact.answer
        assert fact.answer in objects[fact.relation] and fact.relation not in ONWARD
        for one in fact.unrelated:
            assert one.answer
        for hop in fact.hops:
            assert hop.answer in {true.get((fact.answer, onward)) for onward in ONWARD}
            assert hop.answer not in {true.get((fact.old, onward)) for onward in ONWARD}  # it would show nothing
    assert sum(bool(fact.hops) for fact in facts) > 50


def test_well_known_facts_are_one_of_each_and_lead_on() -> None:
    every = well_known()
    assert len(every) > 350 and len({(one.subject, one.relation) for one in every}) == len(every)
    assert {one.relation for one in every} == set(WELL_KNOWN)
    led_on = {one.subject for one in every if one.relation in ONWARD}
    assert {one.object for one in every if one.relation in ("author", "landmark")} - led_on == {"Franz Kafka"}
    quiz = {problem.question.casefold() for some in QuizTask().splits().values() for problem in some}
    worded = {text for one in every for text in (one.asked.question, *WELL_KNOWN[one.relation].reword(one.subject))}
    assert not quiz & {text.casefold() for text in worded}


def test_names_that_are_used_up_are_an_error_and_no_endless_search() -> None:
    with pytest.raises(InputError, match="names are used up"):
        Namer(random.Random(0)).names("currency", 13_000)


@pytest.mark.parametrize(
    "make", [lambda: fictional_facts(0), lambda: fictional_facts(10_001), lambda: counterfactual_facts(260)]
)
def test_more_facts_than_there_are(make: object) -> None:
    with pytest.raises(InputError, match=r"task: n: .* is not between 1 and"):
        make()  # type: ignore[operator]
