"""Mastery: decay over the cycles, pull from prerequisites, credible intervals."""

from __future__ import annotations

import pytest
from scipy.stats import beta

from tutelage.agents.diagnostician.mastery import Counts, MasteryModel
from tutelage.schema import Diagnosis, Mastery

CHAIN = {"b": ("a",), "c": ("b",)}


def diagnosed(mastery: tuple[Mastery, ...], prerequisites: dict[str, tuple[str, ...]] | None = None) -> Diagnosis:
    return Diagnosis(
        cycle=1, student="base", accuracy=0.5, weaknesses=(), mastery=mastery, prerequisites=prerequisites or {}
    )


def by_skill(mastery: tuple[Mastery, ...]) -> dict[str, tuple[float, float]]:
    return {one.skill: (one.alpha, one.beta) for one in mastery}


def test_the_interval_holds_nine_tenths_of_the_posterior() -> None:
    (found,) = MasteryModel(0.5, 0.0).update({"a": Counts(6, 2, 0.0)}, (), {})
    assert (found.low, found.high) == pytest.approx(beta.interval(0.9, 7, 3))
    assert found.low < found.mean < found.high


def test_evidence_counts_less_with_every_diagnosis_since() -> None:
    model = MasteryModel(0.5, 2.0)
    earlier: list[Diagnosis] = []
    for _ in range(3):
        earlier.append(diagnosed(model.update({"a": Counts(8, 0, 0.0)} if not earlier else {}, earlier, CHAIN), CHAIN))
    assert [d.mastery[0].alpha for d in earlier] == pytest.approx([9, 5, 3])


def test_a_skill_is_drawn_towards_its_weakest_prerequisite() -> None:
    model = MasteryModel(0.5, 4.0)
    counts = {"a": Counts(98, 0, 0.0), "b": Counts(0, 98, 0.0), "d": Counts(0, 0, 0.0)}
    found = by_skill(model.update(counts, (), {"d": ("a", "b"), "e": ("a",)}))
    assert found["d"] == pytest.approx((1.04, 4.96))  # 4 pseudo-counts at 0.01
    assert found["a"] == (99, 1) and "e" not in found
    alone = by_skill(model.update({"d": Counts(0, 0, 0.0)}, (), {"d": ("a", "b")}))
    assert alone["d"] == (1, 1)  # nothing is known of what it builds on


def test_much_evidence_outweighs_the_pull() -> None:
    counts = {"a": Counts(0, 100, 0.0), "b": Counts(100, 0, 0.0)}
    found = {m.skill: m.mean for m in MasteryModel(0.5, 2.0).update(counts, (), {"b": ("a",)})}
    assert found["b"] > 0.95


def test_the_pull_is_no_evidence_for_the_next_cycle() -> None:
    model = MasteryModel(1.0, 3.0)
    counts = {"a": Counts(0, 10, 0.0), "b": Counts(2, 2, 0.0), "c": Counts(1, 3, 0.0)}
    first = model.update(counts, (), CHAIN)
    again = model.update({}, [diagnosed(first, CHAIN)], CHAIN)
    assert by_skill(again) == {skill: pytest.approx(pair) for skill, pair in by_skill(first).items()}


def test_the_pull_leaves_what_guessing_gives() -> None:
    counts = {"a": Counts(0, 1000, 0.0), "b": Counts(0, 0, 0.25)}
    found = {m.skill: m for m in MasteryModel(0.5, 8.0).update(counts, (), {"b": ("a",)})}
    assert found["b"].alpha == pytest.approx(1 + 8 * 0.25, abs=0.01) and found["b"].chance == 0.25
    later = MasteryModel(0.5, 8.0).update({}, [diagnosed(tuple(found.values()))], {})
    assert {m.skill: m.chance for m in later} == {"a": 0.0, "b": 0.25}
