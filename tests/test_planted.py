"""Planted students know one way of each kind of step; which one, only the seed says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.testing import planted
from tutelage.testing.planted import PLANTED, build_planted_student, draw_ways, say


def test_students_differ_in_what_they_know_and_none_knows_all_alike() -> None:
    one, other, again = (draw_ways(seed) for seed in range(3))
    assert one == again != other
    assert all(set(ways) == set(PLANTED) and len(set(ways.values())) == 2 for ways in (one, other))


@pytest.mark.parametrize(
    ("left", "op", "right", "text"),
    [
        (17, "+", 8, "17 + 3 = 20. 20 + 5 = 25."),
        (25, "-", 8, "25 - 8 = 17."),
        (3, "-", 8, "3 - 8 = -5."),
        (-5, "+", 8, "-5 + 8 = 3."),
        (11, "+", 8, "11 + 8 = 19."),
    ],
)
def test_a_step_is_said_in_the_way_that_is_known(left: int, op: str, right: int, text: str) -> None:
    lines, result = say(left, op, right, {"addition with carry": "fine"})
    assert " ".join(lines) == text
    assert str(result) == text.rstrip(".").split("= ")[-1]


def test_a_student_is_built_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "STEPS", 2)
    one, two, other = (build_planted_student(tmp_path / name, seed) for name, seed in [("a", 1), ("b", 1), ("c", 2)])
    weights = [(folder / "model.safetensors").read_bytes() for folder in (one, two, other)]
    assert weights[0] == weights[1] != weights[2]
    assert load_tokenizer(one).chat_template
    assert load_model(one, None, dtype="float32", device="cpu", merge=True).num_parameters() < 300_000


def test_what_is_held_out_is_not_in_its_texts() -> None:
    def chains(held_out: frozenset[str]) -> list[str]:
        rng = random.Random(0)
        drawn = planted._Texts([draw_ways(0)], held_out, planted._chain, planted._words)
        texts = [drawn.draw(rng)[0][0] for _ in range(3000)]
        return [text.rsplit(": ", 1)[1].partition(" =")[0] for text in texts]

    seen = set(chains(frozenset()))
    held_out = frozenset(list(sorted(seen))[::3])
    assert len(held_out) > 500 and held_out.isdisjoint(chains(held_out))
