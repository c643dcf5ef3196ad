import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.config import GateConfig
from tutelage.schema import Verdict
from tutelage.training.gate import decide, paired_test

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


def split(pairs: list[tuple[bool, bool]]) -> tuple[list[bool], list[bool]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


def binomial_tail(lost: int, changed: int) -> float:
    """P(X >= lost) for X ~ Binomial(changed, 1/2), by counting."""
    return sum(math.comb(changed, k) for k in range(lost, changed + 1)) / 2**changed


@settings(deadline=None)
@given(PAIRS)
def test_the_sign_test_counts_changes_and_their_tail(pairs: list[tuple[bool, bool]]) -> None:
    test = paired_test(*split(pairs))
    assert test.gained == pairs.count((False, True))
    assert test.lost == pairs.count((True, False))
    expected = binomial_tail(test.lost, test.gained + test.lost)
    assert test.p_harm == pytest.approx(expected)


@settings(deadline=None)
@given(PAIRS, st.randoms())
def test_unchanged_problems_and_their_order_do_not_matter(pairs: list[tuple[bool, bool]], rng) -> None:
    more = [*pairs, (True, True), (False, False)]
    rng.shuffle(more)
    assert paired_test(*split(more)) == paired_test(*split(pairs))


@settings(deadline=None)
@given(PAIRS)
def test_a_candidate_that_loses_no_more_than_it_gains_is_accepted(pairs: list[tuple[bool, bool]]) -> None:
    before, after = split(pairs)
    decision = decide(before, after, None, GateConfig())
    if pairs.count((True, False)) <= pairs.count((False, True)):
        assert decision.verdict is Verdict.ACCEPTED


@settings(deadline=None)
@given(PAIRS, st.lists(st.booleans(), min_size=1, max_size=60))
def test_one_more_loss_never_turns_a_roll_back_into_an_acceptance(
    pairs: list[tuple[bool, bool]], kept: list[bool]
) -> None:
    config = GateConfig()
    worse = [*pairs, (True, False)]
    if decide(*split(pairs), kept, config).verdict is Verdict.ROLLED_BACK:
        assert decide(*split(worse), kept, config).verdict is Verdict.ROLLED_BACK


def test_the_reason_holds_the_figures() -> None:
    before = [True] * 47 + [False] * 53
    after = [True] * 40 + [False] * 7 + [True] * 21 + [False] * 32
    decision = decide(before, after, [True] * 99 + [False], GateConfig())
    assert decision.verdict is Verdict.ACCEPTED
    assert decision.why == "gate 0.47 -> 0.61 (+21 -7, p of harm 1); retention 1.00 -> 0.99 (1 of 100 lost)"


def test_a_clear_fall_is_rolled_back_and_a_chance_one_is_not() -> None:
    right = [True] * 20
    fell = decide(right, [False] * 4 + [True] * 16, None, GateConfig(alpha=0.1))
    assert fell.verdict is Verdict.ROLLED_BACK
    assert "gate fell (p < 0.1): gate 1.00 -> 0.80 (+0 -4, p of harm 0.062)" in fell.why
    assert decide(right, [False] * 3 + [True] * 17, None, GateConfig(alpha=0.1)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("lost", "of", "verdict"),
    [
        (2, 55, Verdict.ACCEPTED),
        (3, 55, Verdict.ROLLED_BACK),
        (8, 400, Verdict.ACCEPTED),
        (14, 400, Verdict.ROLLED_BACK),
    ],
)
def test_retention_may_fall_by_the_limit_and_by_what_chance_explains(lost: int, of: int, verdict: Verdict) -> None:
    kept = [False] * lost + [True] * (of - lost)
    decision = decide([False], [True], kept, GateConfig(max_retention_drop=0.02, alpha=0.1))
    assert decision.verdict is verdict
    assert f"({lost} of {of} lost)" in decision.why


def test_exams_of_different_problems_are_refused() -> None:
    with pytest.raises(ValueError):
        paired_test([True], [True, False])
