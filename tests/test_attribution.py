"""Failures are laid to the skills that failed; planted holes are found; guesses and partial scores count as such."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import beta

from tutelage.agents.diagnostician import SkillDiagnostician
from tutelage.agents.diagnostician.attribution import attribute
from tutelage.agents.diagnostician.evidence import Collector
from tutelage.schema import Attempt, Problem, WrongStep
from tutelage.testing.simulated import SimulatedStudent, draw_plant, draw_problem, score_holes

FORMAT = WrongStep(kind="format", start=0, end=0, expected="a final answer", found="no final answer")


def sit(student: SimulatedStudent, needed: Sequence[Sequence[str]], tell: float = 0.0, **metadata: object) -> tuple:
    rng = random.Random(7)
    problems = {
        f"p{i}": Problem(id=f"p{i}", question=f"{i}?", answer="a", skills=tuple(skills), metadata=metadata)
        for i, skills in enumerate(needed)
    }
    return problems, [student.answer(p, i, rng, tell) for i, p in enumerate(problems.values())]


def rates(problems: dict[str, Problem], attempts: Sequence[Attempt]) -> dict[str, float]:
    found = attribute(Collector(problems, ()).collect(attempts))
    return dict(zip(found.names, found.pass_rate, strict=True))


def test_a_skill_that_is_right_alone_is_not_blamed_where_it_stands_beside_a_weak_one() -> None:
    student = SimulatedStudent({"a": 1.0, "b": 0.0})
    found = rates(*sit(student, [("a",)] * 20 + [("a", "b")] * 20))
    assert found["a"] > 0.97 and found["b"] < 0.06


@pytest.mark.parametrize("tell", [0.0, 0.5, 1.0])
def test_the_rates_of_a_student_are_recovered_whatever_is_known_of_its_steps(tell: float) -> None:
    truth = {"a": 0.95, "b": 0.4, "c": 0.7, "d": 0.1}
    rng = random.Random(3)
    needed = [draw_problem(i, list(truth), rng).skills for i in range(4000)]
    found = rates(*sit(SimulatedStudent(truth), needed, tell))
    assert found == pytest.approx(truth, abs=0.05)


def test_skills_that_always_come_together_are_not_told_apart_and_the_posterior_says_so() -> None:
    student = SimulatedStudent({"a": 1.0, "b": 0.5, "c": 0.5})
    problems, attempts = sit(student, [("a", "b")] * 40 + [("c",)] * 40)
    found = attribute(Collector(problems, ()).collect(attempts))
    width = dict(zip(found.names, beta.std(found.alpha, found.beta), strict=True))
    assert width["a"] == pytest.approx(width["b"], rel=1e-3) and width["a"] > 1.3 * width["c"]


def test_a_posterior_holds_the_truth_as_often_as_it_says() -> None:
    inside = []
    for seed in range(40):
        rng = random.Random(seed)
        truth = {name: rng.uniform(0.2, 0.95) for name in "abcde"}
        problems = [draw_problem(i, list(truth), rng) for i in range(100)]
        attempts = [SimulatedStudent(truth).answer(p, i, rng, 0.3) for i, p in enumerate(problems)]
        found = attribute(Collector({p.id: p for p in problems}, ()).collect(attempts))
        low, high = (beta.ppf(tail, found.alpha, found.beta) for tail in (0.05, 0.95))
        true = np.array([truth[name] for name in found.names])
        inside += list((low <= true) & (true <= high))
    assert 0.85 <= np.mean(inside) <= 0.95


def test_guessing_is_not_knowing() -> None:
    student = SimulatedStudent({"a": 0.0, "b": 0.9}, guess=0.5)
    problems, attempts = sit(student, [("a",)] * 60 + [("b",)] * 60, choices={"A": "yes", "B": "no"})
    diagnosis = SkillDiagnostician(threshold=0.6).diagnose(problems, attempts, [])
    (weakness,) = diagnosis.weaknesses
    known = {m.skill: m.known for m in diagnosis.mastery}
    assert weakness.name == "a" and 0.35 < weakness.pass_rate < 0.65 and "(50 % by guessing)" in weakness.description
    assert known["a"] < 0.25 and known["b"] == pytest.approx(0.9, abs=0.1)
    assert all(m.chance == 0.5 for m in diagnosis.mastery)


def test_partial_scores_count_in_part() -> None:
    problems, attempts = sit(SimulatedStudent({"a": 0.0}), [("a",)] * 10)
    partly = [attempt.model_copy(update={"score": 0.7}) for attempt in attempts]
    assert rates(problems, partly) == pytest.approx({"a": 0.7})
    (mastery,) = SkillDiagnostician().diagnose(problems, partly, []).mastery
    assert (mastery.alpha, mastery.beta) == pytest.approx((8, 4))


@pytest.mark.parametrize(("count", "least"), [(60, 0.75), (200, 0.9)])
@pytest.mark.parametrize("tell", [0.0, 1.0])
def test_planted_holes_are_named_and_little_else(count: int, least: float, tell: float) -> None:
    found = score_holes(SkillDiagnostician(), range(100, 120), count, tell)
    assert found.precision >= least and found.recall >= least


@pytest.mark.parametrize("where", ["at the holes", "anywhere"])
def test_a_pattern_that_comes_with_a_hole_is_told_from_one_that_comes_by_itself(where: str) -> None:
    named = holes = right = 0
    own = []
    for seed in range(100, 110):
        plant = draw_plant(seed)
        problems, attempts = plant.exam(200, 0.0)
        rng = random.Random(seed)
        for at, attempt in enumerate(attempts):
            hole = bool(plant.holes & set(problems[attempt.problem_id].skills))
            if (hole and not attempt.correct) if where == "at the holes" else rng.random() < 0.3:
                attempts[at] = attempt.model_copy(update={"wrong_step": FORMAT, "correct": False, "score": 0.0})
        weak = {w.name: w for w in SkillDiagnostician().diagnose(problems, attempts, []).weaknesses}
        own.append(weak.pop("giving a final answer").severity)
        named, holes, right = named + len(weak), holes + len(plant.holes), right + len(plant.holes & set(weak))
    assert right >= 0.9 * holes and right >= 0.9 * named
    assert np.mean(own) < 0.1 if where == "at the holes" else np.mean(own) > 0.2
