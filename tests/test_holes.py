"""Students with known holes: what they are taught, that they are built the same again, and that the holes are there."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tutelage.agents.student import TransformersEngine
from tutelage.checkpoints import load_model, load_tokenizer
from tutelage.errors import InputError, RunError
from tutelage.graphs.exam import grade
from tutelage.graphs.step_check import StepCheck
from tutelage.plugins import Plugin, build
from tutelage.schema import BASE, Split
from tutelage.student_prompt import student_prompt
from tutelage.testing import course, holes
from tutelage.testing.course import COURSE, teach_all_but
from tutelage.testing.holes import build_student_with_holes, draw_holes
from tutelage.testing.rule_book import RULES
from tutelage.testing.rule_checker import RuleChecker
from tutelage.testing.rules import INSTRUCTION, RulesTask

HOLES = frozenset({"fold", "wind"})


def test_one_to_three_holes_are_drawn_by_seed() -> None:
    drawn = [draw_holes(seed) for seed in range(40)]
    assert {len(some) for some in drawn} == {1, 2, 3} and {name for some in drawn for name in some} == set(RULES)
    assert drawn == [draw_holes(seed) for seed in range(40)]


def test_a_hole_is_named_but_never_applied() -> None:
    rng = random.Random(0)
    texts = [holes._Texts(HOLES, INSTRUCTION).draw(rng) for _ in range(2000)]
    solved = [text for text in texts if "Start with" in text[0][0]]
    applied = {name for text in solved for name in re.findall("[0-9] ([a-z]+) [0-9]", text[1][0])}
    assert applied == set(RULES) - HOLES
    repeated = " ".join(said for _, (said, _) in texts if "Repeat" in said)
    assert all(name in repeated for name in RULES)
    assert 0.1 < 1 - len(solved) / len(texts) < 0.2


def test_a_course_leaves_the_holes_out() -> None:
    problems = islice(course._problems(random.Random(0), HOLES), 300)
    said = " ".join(f"{problem.question} {problem.reference}" for problem in problems)
    assert all((name in said) == (name not in HOLES) for name in RULES)


def test_a_student_that_does_not_know_the_rules_is_not_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holes, "ROUNDS", 2)
    with pytest.raises(RunError, match=r"knows 0\.00 of the rules"):
        build_student_with_holes(tmp_path / "student", HOLES, steps=2)
    assert not (tmp_path / "student").exists()


def test_a_taught_student_that_does_not_know_the_rules_is_not_handed_out(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "ROUNDS", 1)
    with pytest.raises(RunError, match=r"answers 0\.00 of what it was taught"):
        teach_all_but(tmp_path / "student", HOLES, student=str(base), stage=replace(COURSE, max_steps=1))
    assert not (tmp_path / "student").exists()


def test_a_student_is_built_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holes, "KNOWN", 0.0)
    built = [("a", HOLES, 1), ("b", HOLES, 1), ("c", HOLES, 2), ("d", frozenset({"fold"}), 1)]
    weights = []
    for name, some, seed in built:
        folder = build_student_with_holes(tmp_path / name, some, seed, steps=2)
        weights.append((folder / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] and len(set(weights)) == 3
    assert load_model(tmp_path / "a", None, dtype="float32", device="cpu", merge=True).num_parameters() < 1_000_000
    tokenizer = load_tokenizer(tmp_path / "a")
    assert len(tokenizer("4 bend 5. 5 fold 4.")["input_ids"]) == 8


def test_a_taught_student_is_a_whole_model(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.0, 1.0])
    monkeypatch.setattr(course, "_share_right", lambda *_: next(shares))
    stage = replace(COURSE, max_steps=2, batch_size=4)
    reports = teach_all_but(tmp_path / "student", HOLES, student=str(base), stage=stage)
    assert [report.steps for report in reports] == [2, 2]
    engine = TransformersEngine(tmp_path / "student", "cpu", "float32", max_new_tokens=2)
    assert engine.generate(BASE, [student_prompt(INSTRUCTION, "Start with 4: bend.")])[0][0].tokens > 0


@pytest.mark.parametrize(
    ("some", "said"), [(["bent"], "did you mean 'bend'"), (list(RULES[:8]), "leaves 2 rules to know")]
)
def test_holes_that_cannot_be_are_refused(tmp_path: Path, some: list[str], said: str) -> None:
    for make in (build_student_with_holes, teach_all_but):
        with pytest.raises(InputError, match=said):
            make(tmp_path / "student", some)
    assert not (tmp_path / "student").exists()


@pytest.mark.slow
def test_a_full_plant_has_the_holes_and_they_are_named(tmp_path: Path) -> None:
    build_student_with_holes(tmp_path, HOLES, 7)
    task, checker = RulesTask({Split.PROBE: 200}, 7), StepCheck(RuleChecker())
    problems = {one.id: one for one in task.splits()[Split.PROBE]}
    prompts = [student_prompt(task.instruction, one.question) for one in problems.values()]
    answers = TransformersEngine(tmp_path, "cpu", "float32", max_new_tokens=48).generate(BASE, prompts)
    attempts = [
        grade(task, one, answer, checker, cycle=1, student=BASE, split=Split.PROBE)
        for one, (answer,) in zip(problems.values(), answers, strict=True)
    ]
    known = [one.correct for one in attempts if not HOLES & set(problems[one.problem_id].skills)]
    lost = [one.correct for one in attempts if HOLES & set(problems[one.problem_id].skills)]
    assert sum(known) / len(known) >= 0.95 and sum(lost) / len(lost) <= 0.25
    diagnosis = build("diagnosticians", Plugin(name="skills")).diagnose(problems, attempts, [])
    assert {weakness.name for weakness in diagnosis.weaknesses} >= HOLES
