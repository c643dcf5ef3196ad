"""Arms of several seeds: the difference is that of their means, in whatever order the runs are given."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from tutelage.traces.pairs import Arm, Finished, pairs


def arm(label: str, *answers: str, seeds: tuple[int, ...] = (0, 1, 2), own: bool = False) -> Arm:
    """Return an arm of a run a seed, each with its answers to the same problems, or to its own."""
    runs = zip(seeds, answers, strict=False)
    return Arm(label, [Finished(seed, shares(text, f"s{seed}-" if own else "")) for seed, text in runs])


def shares(text: str, name: str = "") -> dict[str, Fraction]:
    return {f"{name}p{n}": Fraction(int(sign)) for n, sign in enumerate(text)}


def test_the_interval_of_shared_problems_is_student_s_of_their_averages() -> None:
    (pair,) = pairs([arm("a", "1100", "1000", "0000"), arm("b", "1110", "1011", "0010")])
    averages = [0.0, 0.0, 1.0, 1 / 3]
    low, high = ttest_1samp(averages, 0).confidence_interval(0.95)
    assert pair["interval"] == "t by problems" and pair["difference"] == pytest.approx(mean(averages))
    assert (pair["low"], pair["high"]) == (pytest.approx(low), pytest.approx(min(1.0, high)))
    assert (pair["better"], pair["p"]) == ([0, 2], 0.5)


def test_seeds_with_problems_of_their_own_are_as_one_large_run() -> None:
    one, other = ("1100", "1000", "0000"), ("1110", "1011", "0010")
    (pair,) = pairs([arm("a", *one, own=True), arm("b", *other, own=True)])
    (whole,) = pairs([arm("a", "".join(one)), arm("b", "".join(other))])
    assert pair["interval"] == "Bonett-Price" and pair["n"] == 12
    assert {**pair, "seeds": 1} == whole


def test_only_seeds_that_both_have_are_compared() -> None:
    (pair,) = pairs([arm("a", "11", "00"), arm("b", "11", "01", seeds=(5, 1))])
    assert (pair["seeds"], pair["better"], pair["difference"]) == (1, [0, 1], 0.5)
    (alone,) = pairs([arm("a", "10"), arm("b", "11", seeds=(5,))])  # there is nothing else to compare
    assert (alone["seeds"], alone["difference"]) == (1, 0.5)


def test_runs_of_one_seed_in_an_arm_are_averaged_whatever_their_order() -> None:
    twice = [Finished(0, shares("1111")), Finished(0, shares("0001"))]
    other = [Finished(0, shares("0001"))]
    found = [pairs([Arm("a", some), Arm("b", other)])[0] for some in (twice, twice[::-1])]
    assert found[0] == found[1] and found[0]["difference"] == -3 / 8
    assert (found[0]["n"], found[0]["answers"], found[0]["interval"]) == (4, 4, "t by problems")


def test_why_a_pair_is_not_compared() -> None:
    going, done = Arm("going", []), arm("done", "11", "10")
    others = [arm("seeds", "11", "10", seeds=(7, 8)), arm("problems", "11", "10", own=True)]
    found = pairs([done, going, *others])
    assert [row["untested"] for row in found if "done" in row["arms"]] == [
        "not finished",
        "no seed in common",
        "no problem in common",
    ]
    assert {row["difference"] for row in found} == {None}


side = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 5)), st.booleans(), min_size=1)


def told(label: str, right: dict[tuple[int, int], bool]) -> Arm:
    by_seed: dict[int, dict[str, Fraction]] = defaultdict(dict)
    for (seed, problem), one in right.items():
        by_seed[seed][str(problem)] = Fraction(one)
    return Arm(label, [Finished(seed, some) for seed, some in by_seed.items()])


@given(side, side)
def test_the_difference_is_that_of_the_means_over_what_both_were_asked(one: Any, other: Any) -> None:
    """Whether seeds share all problems, some, or none; and the other way round it is the opposite."""
    both = one.keys() & other.keys()
    arms = [told("a", {**one, (9, 9): True}), told("b", {**other, (9, 9): True})]  # two runs or more each
    (pair,), (back,) = pairs(arms), pairs(arms[::-1])
    means = [mean([int(some[key]) for key in both] + [1]) for some in (one, other)]
    assert pair["difference"] == pytest.approx(means[1] - means[0])
    assert back["difference"] == -pair["difference"] and back["better"] == pair["better"][::-1]
    if pair["low"] is not None:
        assert (back["low"], back["high"]) == (pytest.approx(-pair["high"]), pytest.approx(-pair["low"]))
