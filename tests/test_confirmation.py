"""The rule by which fresh answers confirm a weakness or refute it."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from tutelage.agents.confirmation import ELSEWHERE, RIGHT, WRONG, Likelihood, confirm, probability
from tutelage.schema import Attempt, Diagnosis, Mastery, Problem, Split, Weakness, WrongStep

likelihoods = st.one_of(
    st.sampled_from([RIGHT, WRONG, ELSEWHERE]),
    st.floats(0, 1).map(lambda others: Likelihood(1.0, 1.0 - others)),
)


@given(st.lists(likelihoods, max_size=20), st.floats(0.1, 0.95), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_each_answer_moves_the_verdict_its_way_and_their_order_does_not_matter(
    answers: list[Likelihood], threshold: float, shuffle: Any
) -> None:
    before = probability(answers, threshold)
    assert 0 <= before <= 1
    assert probability([*answers, RIGHT], threshold) <= before + 1e-12
    assert probability([*answers, WRONG], threshold) >= before - 1e-12
    assert probability([*answers, RIGHT], threshold) <= probability([*answers, ELSEWHERE], threshold) + 1e-12
    assert probability([*answers, Likelihood(1.0, 1.0)], threshold) == pytest.approx(before)
    mixed = list(answers)
    shuffle.shuffle(mixed)
    assert probability(mixed, threshold) == pytest.approx(before)


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0.3, 0.95))
@settings(max_examples=60, deadline=None)
def test_with_every_step_known_it_is_the_conjugate_posterior(right: int, wrong: int, threshold: float) -> None:
    a = log(0.5) / log(threshold)
    exact = betainc(a + right, 1 + wrong, threshold)
    assert probability([RIGHT] * right + [WRONG] * wrong, threshold) == pytest.approx(exact, abs=0.01)


def test_no_answer_leaves_the_odds_even() -> None:
    assert probability([], 0.8) == pytest.approx(0.5)
    assert probability([], 1.0) == pytest.approx(0.5)


def answer(
    n: int, *, right: bool = False, step: str | None = None, kind: str = "equation", skills: tuple[str, ...] = ("s",)
) -> tuple[Problem, Attempt]:
    problem = Problem(question=f"question {n}", answer="1", skills=skills)
    wrong = None if right else WrongStep(kind=kind, start=0, end=1, expected="1", found="2", skill=step)
    return problem, Attempt(
        id=f"attempt {n}",
        problem_id=problem.id,
        split=Split.CHECK,
        cycle=1,
        student="base",
        text="",
        answer=None if kind == "format" else "1",
        score=float(right),
        correct=right,
        logprob=0.0,
        tokens=1,
        finish_reason="stop",
        wrong_step=wrong,
    )


def diagnosis(*named: str, mastery: tuple[Mastery, ...] = ()) -> Diagnosis:
    weak = tuple(Weakness(name=name, pass_rate=0.2, support=10, severity=0.5) for name in named)
    return Diagnosis(cycle=1, student="base", accuracy=0.5, weaknesses=weak, mastery=mastery)


def test_failures_confirm_and_passes_refute() -> None:
    found = diagnosis("s")
    failed = confirm(found.weaknesses[0], [answer(n) for n in range(4)], found)
    passed = confirm(found.weaknesses[0], [answer(n, right=True) for n in range(4)], found)
    assert failed and passed
    assert (failed.confirmed, failed.asked, failed.passed) == (True, 4, 0.0)
    assert (passed.confirmed, passed.asked, passed.passed) == (False, 4, 4.0)
    assert failed.evidence == tuple(f"attempt {n}" for n in range(4))


def test_there_is_a_verdict_from_four_answers_on_and_it_is_one_of_two() -> None:
    found = diagnosis("s")
    for right in range(9):
        few = [answer(n, right=n < right) for n in range(3)]
        assert confirm(found.weaknesses[0], few, found) is None
        assert confirm(found.weaknesses[0], few, found, least=3)
        result = confirm(found.weaknesses[0], [answer(n, right=n < right) for n in range(8)], found)
        assert result and result.probability is not None
        assert result.confirmed is (result.probability > 0.5) is (right < 7)


def test_a_failure_at_another_skill_does_not_count_against_this_one() -> None:
    found = diagnosis("s", "other")
    own = [answer(n, right=True) for n in range(2)]
    elsewhere = [answer(n, step="other", skills=("other", "s")) for n in range(2, 8)]
    here = [answer(n, step="s", skills=("other", "s")) for n in range(2, 8)]
    spared, blamed = (confirm(found.weaknesses[0], own + some, found) for some in (elsewhere, here))
    assert spared and blamed
    assert (spared.confirmed, spared.passed, spared.asked) == (False, 8.0, 8)
    assert (blamed.confirmed, blamed.passed) == (True, 2.0)


def test_a_step_that_is_no_skill_of_the_task_s_says_nothing_of_where_it_failed() -> None:
    found = diagnosis("s")
    result = confirm(found.weaknesses[0], [answer(n, step="addition with carry") for n in range(4)], found)
    assert result and (result.confirmed, result.passed) == (True, 0.0)


def test_where_the_step_is_not_known_the_skill_that_is_known_to_be_weak_explains_the_failure() -> None:
    def tested(other: float) -> float:
        found = diagnosis("s", mastery=(Mastery(skill="other", alpha=100 * other, beta=100 * (1 - other)),))
        own = [answer(n, right=True) for n in range(3)]
        both = [answer(n, skills=("other", "s")) for n in range(3, 8)]
        result = confirm(found.weaknesses[0], own + both, found)
        assert result and result.probability is not None
        return result.probability

    assert tested(0.05) < 0.5 < tested(0.95)


def test_a_failure_by_an_error_pattern_that_is_a_weakness_may_come_from_the_skill() -> None:
    format_error = [answer(n, kind="format") for n in range(4)]
    named = diagnosis("giving a final answer", "s")
    pattern, skill = (confirm(weakness, format_error, named) for weakness in named.weaknesses)
    assert pattern and pattern.confirmed
    assert skill and (skill.confirmed, skill.asked, skill.passed) == (True, 4, 0.0)
    alone = diagnosis("s")
    certain = confirm(alone.weaknesses[0], format_error, alone)
    assert certain and certain.probability and skill.probability and 0.5 < skill.probability < certain.probability
    shown = [answer(n) for n in range(8)]  # wrong, but with an answer
    pattern = confirm(named.weaknesses[0], shown, named)
    assert pattern and (pattern.confirmed, pattern.passed) == (False, 8.0)


@pytest.mark.parametrize(("rate", "least", "most"), [(0.25, 0.95, 1.0), (0.5, 0.85, 1.0), (0.95, 0.0, 0.4)])
@pytest.mark.parametrize("silent", [True, False])
def test_how_often_a_skill_is_confirmed_beside_a_pattern(rate: float, least: float, most: float, silent: bool) -> None:
    """Three in ten answers end without a final one; the skill's own failures do so too, or show a wrong step."""
    pattern = Weakness(name="giving a final answer", pass_rate=0.7, support=100, severity=0.3)
    found = diagnosis("s")
    found = found.model_copy(update={"weaknesses": (pattern, *found.weaknesses)})
    draw, confirmed = np.random.default_rng(5), 0
    for _ in range(200):
        shows, right = draw.random(8) < 0.3, draw.random(8) < rate
        answers = [
            answer(n, right=bool(not s and r), step=None if s or silent else "s", kind="format" if s or silent else "x")
            for n, (s, r) in enumerate(zip(shows, right, strict=True))
        ]
        result = confirm(found.weaknesses[1], answers, found)
        assert result and result.asked == 8
        confirmed += result.confirmed
    assert least <= confirmed / 200 <= most


def test_guessing_is_no_mastery() -> None:
    guesses = [answer(n, right=n % 2 == 0) for n in range(8)]
    nothing = diagnosis("s", mastery=(Mastery(skill="s", alpha=1, beta=1, chance=0.0),))
    yes_or_no = diagnosis("s", mastery=(Mastery(skill="s", alpha=1, beta=1, chance=0.5),))
    low, high = (confirm(found.weaknesses[0], guesses, found, 0.4) for found in (nothing, yes_or_no))
    assert low and high and not low.confirmed and high.confirmed


def test_answers_that_cannot_be_laid_to_a_skill_do_not_clear_it() -> None:
    hopeless = diagnosis("s", mastery=(Mastery(skill="other", alpha=0.001, beta=10),))
    unknown = [answer(n, skills=("other", "s")) for n in range(6)]
    elsewhere = [answer(9, step="other", skills=("other", "s"))]
    assert confirm(hopeless.weaknesses[0], unknown + elsewhere, hopeless) is None
