"""The policy comes to choose what the student profits from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tutelage.agents.purifiers.reinforce import ReinforcePurifier, policy_loss
from tutelage.errors import RunError
from tutelage.schema import Diagnosis, Evidence, Problem, Rationale
from tutelage.seams import CurrentStudent

WAYS = ("In small steps: first the tens, then the ones.", "Briefly: the result follows at once.")


def problems(count: int, seed: int) -> list[Problem]:
    rng = random.Random(seed)
    return [
        Problem(id=f"p{seed}-{n}", question=f"What is {rng.randint(2, 99)} + {n}?", answer="1") for n in range(count)
    ]


class Judge:
    """A student that finds the texts of one teacher likely, and those of others not."""

    def __init__(self, liked: str) -> None:
        self.liked, self.asked = liked, 0

    def __call__(self, answers: Sequence[tuple[Problem, str]]) -> list[float]:
        self.asked += len(answers)
        return [-0.1 if self.liked in text else -2.0 for _, text in answers]


def rewarded(liked: str, cycles: int = 2) -> ReinforcePurifier:
    """Return a policy that has seen which of two ways of writing a student profits from."""
    purifier = ReinforcePurifier(encoder="static", least=10, explore=0.0)
    rng = random.Random(3)
    for cycle in range(1, cycles + 1):
        purifier.meet(student(Judge(liked)))
        some = []
        for asked in problems(40, cycle):
            way = rng.randrange(2)
            for at, text in enumerate(WAYS):
                some.append(
                    Evidence(problem=asked, teacher=text, text=text, verified=True, cycle=cycle, taught=at == way)
                )
        purifier.fit(some)
    return purifier


def student(likelihoods: Any) -> CurrentStudent:
    found = Diagnosis(cycle=1, student="base", accuracy=0, weaknesses=(), mastery=())
    told: Any = None
    return CurrentStudent(
        cycle=1, seed=1, engine=told, checkpoint="base", prompt=told, grade=told, diagnosis=found, probe=(),
        likelihoods=likelihoods,
    )  # fmt: skip


def written() -> list[Rationale]:
    return [
        Rationale(id=f"r{at}", teacher=f"t{at}", text=text, answer="1", verified=True) for at, text in enumerate(WAYS)
    ]


@pytest.mark.parametrize("liked", [0, 1])
def test_the_policy_comes_to_choose_what_the_student_profits_from(liked: int, tmp_path: Path) -> None:
    purifier = rewarded(WAYS[liked])
    asked = [(one, written()) for one in problems(8, 9)]
    scores = purifier.score(asked)
    known = [one.model_copy(update={"scores": scores[one.id]}) for one in asked[0][1]]
    assert purifier.purify(asked[0][0], known).rationales[0].text == WAYS[liked]
    purifier.save(tmp_path)
    again = ReinforcePurifier(encoder="static", least=10)
    again.load(tmp_path)
    assert again.score(asked) == scores and again.labelled == purifier.labelled == 80


def test_a_cycle_is_rewarded_once(tmp_path: Path) -> None:
    purifier, judge = rewarded(WAYS[0], cycles=1), Judge(WAYS[0])
    purifier.meet(student(judge))
    purifier.fit(
        [Evidence(problem=p, teacher="t", text="x", verified=True, cycle=1, taught=True) for p in problems(3, 9)]
    )
    assert judge.asked == 0


def test_without_rewards_consensus_decides_and_without_likelihoods_it_says_so() -> None:
    purifier = ReinforcePurifier(encoder="static")
    assert purifier.purify(problems(1, 9)[0], written()).fallback == "not ready: 0 labelled questions, 50 needed"
    one = problems(1, 9)[0]
    some = [Evidence(problem=one, teacher=t, text=t, verified=True, cycle=1, taught=t == "a") for t in "ab"]
    purifier.meet(student(None))
    with pytest.raises(RunError, match="cannot tell how likely"):
        purifier.fit(some)


def test_a_share_is_drawn_to_explore() -> None:
    purifier = rewarded(WAYS[0])
    purifier.explore = 0.5
    known = [r.model_copy(update={"scores": {"reinforce": 1.0 - at}}) for at, r in enumerate(written())]
    found = [purifier.purify(one, known) for one in problems(60, 9)]
    drawn = [one for one in found if one.fallback == "drawn, to explore"]
    assert 15 < len(drawn) < 45 and {one.rationales[0].id for one in drawn} == {"r0", "r1"}
    assert {one.rationales[0].id for one in found if one.fallback is None} == {"r0"}


def test_the_policy_gradient_is_that_of_the_formula() -> None:
    logits = torch.tensor([0.3, -1.0, 2.0], requires_grad=True)
    taken, advantage = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.5, -1.0, 0.2])
    loss = policy_loss(logits, taken, advantage)
    chance = 1 / (1 + np.exp(-logits.detach().numpy()))
    a = taken.numpy()
    pi = a * chance + (1 - a) * (1 - chance)
    assert float(loss.detach()) == pytest.approx(float(-(advantage.numpy() * np.log(pi)).mean()), abs=1e-6)
