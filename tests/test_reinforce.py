"""The policy learns from what the student gained by the choices that made it, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.agents.purifiers.learnability import LEARNABILITY
from tutelage.agents.purifiers.reinforce import ANSWER, ReinforcePurifier, choices, log_chance, policy_loss
from tutelage.errors import InputError, RunError
from tutelage.schema import BASE, Diagnosis, Evidence, Problem, Rationale, WrongStep
from tutelage.seams import CurrentStudent

GAIN = {"clear": 2.0, "muddled": 0.0}
"""What the student gains by each teacher."""
TEXTS = {
    "clear": ("First add the tens. Then add the ones.", "Take the tens, then the ones."),
    "muddled": ("Bananas grow in bunches, hence it follows.", "Hence bananas, as it follows."),
}


def problem(number: int) -> Problem:
    return Problem(id=f"p{number}", question=f"What is {number} + {number}?", answer=str(2 * number))


def evidence(
    count: int, cycle: int = 1, taught: Callable[[int], str] = lambda n: sorted(TEXTS)[n % 2]
) -> list[Evidence]:
    return [
        Evidence(
            problem=problem(number),
            teacher=name,
            text=texts[number % 2],
            verified=True,
            scores={LEARNABILITY: -3.0 - number, ANSWER: -1.0 - number},
            cycle=cycle,
            taught=taught(number) == name,
        )
        for number in range(count)
        for name, texts in TEXTS.items()
    ]


def student(made_in: int, likelihoods: Any) -> CurrentStudent:
    given: Any = None
    diagnosis = Diagnosis(cycle=made_in + 1, student=BASE, accuracy=0.0, mastery=(), weaknesses=())
    return CurrentStudent(made_in + 1, 0, given, "here", given, given, diagnosis, (), likelihoods, made_in)


def gained(asked: Sequence[tuple[Problem, str]]) -> list[float]:
    """Say how likely texts are after training: more so those of the clear teacher; hard problems stay hard."""
    found = []
    for one, text in asked:
        number = int(one.id[1:])
        gain = next((GAIN[name] for name, texts in TEXTS.items() if text in texts), 0.0)
        found.append((-1.0 if text.startswith("Answer:") else -3.0) - number + gain)
    return found


def learnt(count: int = 60, made_in: int = 1, **options: Any) -> ReinforcePurifier:
    purifier = ReinforcePurifier(encoder="static", **options)
    purifier.fit([])
    purifier.meet(student(made_in, gained))
    purifier.fit(evidence(count))
    return purifier


def rationales(number: int) -> list[Rationale]:
    return [
        Rationale(id=name, problem_id=f"p{number}", teacher=name, text=texts[0], answer="1", verified=True)
        for name, texts in TEXTS.items()
    ]


def test_the_loss_is_ppos() -> None:
    torch.manual_seed(0)
    logits, taken = torch.randn(12, requires_grad=True), (torch.rand(12) < 0.5).float()
    advantage = torch.randn(12)
    before = log_chance(logits.detach() + 0.3 * torch.randn(12), taken)
    loss = policy_loss(log_chance(logits, taken), before, advantage)
    chance = logits.sigmoid()
    ratios = [(c if a else 1 - c) / b.exp() for c, a, b in zip(chance, taken, before, strict=True)]
    terms = [min(r * a, max(min(r, 1.2), 0.8) * a) for r, a in zip(ratios, advantage, strict=True)]
    assert loss.item() == pytest.approx(-sum(terms).item() / 12, rel=1e-5)  # type: ignore[union-attr]


def test_a_choice_whose_chance_has_moved_far_enough_moves_it_no_more() -> None:
    logits, taken = torch.tensor([2.0], requires_grad=True), torch.tensor([1.0])
    before = log_chance(torch.tensor([0.0]), taken)
    policy_loss(log_chance(logits, taken), before, torch.tensor([1.0])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None and logits.grad.item() == 0


def test_it_prefers_what_the_student_gained_by_and_not_what_was_easy() -> None:
    purifier = learnt()
    assert purifier.not_ready is None and purifier.labelled == 60
    scores = purifier.score([(problem(7), rationales(7))])
    assert scores["clear"]["reinforce"] > 0.5 > scores["muddled"]["reinforce"]
    scored = [one.model_copy(update={"scores": dict(scores[one.id])}) for one in rationales(7)]
    chosen = [purifier.purify(problem(n), scored) for n in range(200)]
    drawn = [one for one in chosen if one.fallback == "drawn, to explore"]
    assert {one.rationales[0].id for one in chosen if not one.fallback} == {"clear"} and 8 <= len(drawn) <= 35


def test_a_text_that_was_a_surprise_and_is_still_unlikely_is_no_gain() -> None:
    """The muddled ones were far less likely before and caught up, but not to where the clear ones are."""
    purifier = ReinforcePurifier(encoder="static")
    purifier.meet(student(1, gained))
    some = evidence(60)
    for one in some:
        one.scores[LEARNABILITY] -= 6.0 * (one.teacher == "muddled")
    purifier.fit(some)
    scores = purifier.score([(problem(7), rationales(7))])
    assert scores["clear"]["reinforce"] > scores["muddled"]["reinforce"]


def test_equal_gains_teach_nothing_however_easy_the_problems() -> None:
    purifier = ReinforcePurifier(encoder="static", least=1)
    purifier.meet(
        student(
            1,
            lambda asked: [
                one - GAIN["clear"] * ("tens" in t) for one, (_, t) in zip(gained(asked), asked, strict=True)
            ],
        )
    )
    purifier.fit(evidence(60))
    scores = purifier.score([(problem(7), rationales(7))])
    assert scores["clear"]["reinforce"] == scores["muddled"]["reinforce"] == pytest.approx(0.5)


def test_it_moves_with_each_cycle_but_not_twice_by_one() -> None:
    purifier = learnt()

    def gap() -> float:
        scores = purifier.score([(problem(7), rationales(7))])
        return scores["clear"]["reinforce"] - scores["muddled"]["reinforce"]

    once = gap()
    purifier.fit(evidence(60))
    assert gap() == once and purifier.labelled == 60
    purifier.meet(student(2, gained))
    purifier.fit([*evidence(60), *evidence(60, cycle=2)])
    assert gap() > once and purifier.labelled == 120


def test_the_choices_of_a_cycle_that_was_rolled_back_teach_it_nothing() -> None:
    purifier = learnt(made_in=0)
    assert purifier.not_ready == "not ready: rewarded for 0 choices, 50 needed"


def test_until_it_is_ready_it_draws() -> None:
    purifier = learnt(count=20)
    chosen = [purifier.purify(problem(number), rationales(number)) for number in range(100)]
    assert {one.fallback for one in chosen} == {"not ready: rewarded for 20 choices, 50 needed; drawn"}
    assert 30 <= sum(one.rationales[0].id == "clear" for one in chosen) <= 70
    (alone,) = purifier.purify(problem(1), rationales(1)[:1]).rationales
    assert alone.id == "clear"


def test_what_is_wrong_looks_the_same_whatever_it_says() -> None:
    purifier = learnt()
    wrong = [
        r.model_copy(update={"wrong_step": WrongStep(kind="equation", start=0, end=1, expected="2", found="1")})
        for r in rationales(7)
    ]
    scores = purifier.score([(problem(7), wrong)])
    assert scores["clear"]["reinforce"] == pytest.approx(scores["muddled"]["reinforce"])


def test_what_was_saved_goes_on_alike(tmp_path: Path) -> None:
    purifier, again = learnt(), ReinforcePurifier(encoder="static")
    purifier.save(tmp_path)
    again.load(tmp_path)
    again.meet(student(1, gained))
    again.fit(evidence(60))
    assert again.labelled == 60, "the last cycle has been learnt from"
    asked = [(problem(7), rationales(7))]
    assert again.score(asked) == purifier.score(asked)


def test_another_run_begins_anew() -> None:
    purifier = learnt()
    purifier.fit([])
    assert purifier.labelled == 0
    assert purifier.score([(problem(7), rationales(7))])["clear"]["reinforce"] == 0.5


def test_only_problems_with_one_choice_among_several_count() -> None:
    lone = evidence(1)[0]
    all_taught = [one.model_copy(update={"taught": True, "problem": problem(1)}) for one in evidence(1)]
    unscored = [one.model_copy(update={"scores": {}, "problem": problem(2)}) for one in evidence(1)]
    turned_away = [one.model_copy(update={"verified": one.taught, "problem": problem(3)}) for one in evidence(1)]
    assert choices([lone, *all_taught, *unscored, *turned_away]) == []


def test_without_likelihoods_it_says_so() -> None:
    purifier = ReinforcePurifier(encoder="static")
    purifier.meet(student(0, None))
    with pytest.raises(RunError, match="cannot tell how likely"):
        purifier.score([(problem(7), rationales(7))])
    with pytest.raises(InputError, match="explore 2 is out of range; give 0 to 1"):
        ReinforcePurifier(explore=2)
