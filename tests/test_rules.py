"""The task of ten rules: what it draws, how it grades, and how its checker finds the step that went wrong."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.errors import InputError
from tutelage.plugins import Plugin, build
from tutelage.schema import Problem, Split
from tutelage.seams import StepChecker, Task
from tutelage.tasks.splits import check_splits
from tutelage.testing.rule_book import BOOKS, RULES, STARTS, Book, apply, check_book, draw_rules
from tutelage.testing.rule_checker import RuleChecker
from tutelage.testing.rules import RulesTask, make_problem

SIZES = {Split.TRAIN: 300, Split.PROBE: 100, Split.GATE: 100, Split.TEST: 200}
ASKED = make_problem("4", ("bend", "fold"))
names = st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True)
digits = st.builds(make_problem, st.integers(0, 9).map(str), names)
strings = st.builds(make_problem, st.integers(10, 99).map(str), names, st.just("strings"))
problems = digits | strings


@pytest.mark.parametrize(("book", "inputs"), [("digits", range(10)), ("strings", range(10, 10_000))])
def test_rules_are_one_to_one_so_that_after_a_wrong_step_the_answer_stays_wrong(book: Book, inputs: range) -> None:
    tables = {name: [apply(book, name, str(at)) for at in inputs] for name in BOOKS[book]}
    assert len(tables) == len({tuple(table) for table in tables.values()}) == 10 and tuple(tables) == RULES
    assert all(len(set(table)) == len(table) for table in tables.values())
    assert book == "strings" or all(sorted(table) == list("0123456789") for table in tables.values())


@pytest.mark.parametrize("book", ["digits", "strings"])
def test_taking_one_rule_for_another_is_seldom_right(book: Book) -> None:
    for one, other in combinations(RULES, 2):
        same = [apply(book, one, str(at)) == apply(book, other, str(at)) for at in STARTS[book]]
        assert sum(same) <= 0.2 * len(same)


def test_a_problem_is_worked_step_by_step() -> None:
    problem = make_problem("4", ("bend", "fold"))
    assert problem.question == "Start with 4: bend, fold."
    assert problem.reference == "4 bend 5. 5 fold 4.\nAnswer: 4"
    assert (problem.answer, problem.skills) == ("4", ("bend", "fold"))
    assert make_problem("42", ("bend", "fold"), "strings").reference == "42 bend 423. 423 fold 5423.\nAnswer: 5423"


def test_splits_share_no_problem_and_are_the_same_again() -> None:
    task = RulesTask(SIZES, seed=3)
    assert isinstance(task, Task)
    check_splits(task)
    splits = task.splits()
    assert {split: len(some) for split, some in splits.items()} == SIZES
    assert splits == RulesTask(SIZES, seed=3).splits() != RulesTask(SIZES, seed=4).splits()
    assert splits == RulesTask(dict(reversed(SIZES.items())), seed=3).splits()
    larger = RulesTask({**SIZES, Split.TRAIN: 400}, seed=3).splits()
    assert all(larger[split] == splits[split] for split in (Split.PROBE, Split.GATE, Split.TEST))


def test_task_and_checker_are_had_by_name() -> None:
    options = {"sizes": {"train": 5, "test": 5}, "shares": {"bend": 0.1}}
    task = build("tasks", Plugin(name="tutelage.testing:RulesTask", options=options), seed=3)
    assert (task.seed, task.shares["bend"], len(task.splits()[Split.TEST])) == (3, 0.1, 5)
    assert isinstance(build("checkers", Plugin(name="tutelage.testing:RuleChecker")), RuleChecker)


def test_strings_are_drawn_too() -> None:
    drawn = RulesTask({Split.TRAIN: 50}, book="strings").splits()[Split.TRAIN]
    assert all(10 <= int(one.metadata["start"]) < 100 and one.metadata["book"] == "strings" for one in drawn)


def test_guessing_is_right_once_in_ten() -> None:
    answers = Counter(one.answer for one in RulesTask({Split.PROBE: 2000}).splits()[Split.PROBE])
    assert len(answers) == 10 and max(answers.values()) < 0.14 * 2000


def test_shares_make_a_long_tail_that_balanced_splits_do_not_have() -> None:
    task = RulesTask({Split.TRAIN: 300, Split.TEST: 300}, shares={"bend": 0.05}, lengths=[2, 3])
    count = {split: sum("bend" in one.skills for one in some) for split, some in task.splits().items()}
    assert 1 <= count[Split.TRAIN] < 15 < 40 < count[Split.TEST]
    without = RulesTask({Split.TRAIN: 300}, shares={"bend": 0}).splits()[Split.TRAIN]
    assert not any("bend" in one.skills for one in without)


def test_fresh_problems_need_the_skill_and_are_in_no_split() -> None:
    task = RulesTask(SIZES)
    fresh = task.fresh("bend", 8, seed=1)
    assert len({one.question for one in fresh}) == 8 and all("bend" in one.skills for one in fresh)
    asked = {one.question for some in task.splits().values() for one in some}
    assert asked.isdisjoint(one.question for one in fresh)
    assert fresh == task.fresh("bend", 8, seed=1) != task.fresh("bend", 8, seed=2)
    again = task.fresh("bend", 8, seed=1, known=[one.question for one in fresh])
    assert {one.question for one in again}.isdisjoint(one.question for one in fresh)
    assert len(task.fresh(None, 5, seed=1)) == 5 and task.fresh("giving a final answer", 5, seed=1) == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sizes": {"trian": 3}}, "did you mean 'train'"),
        ({"sizes": {"train": -1}}, "sizes.train -1"),
        ({"sizes": {"train": 3}, "shares": {"bent": 1}}, "did you mean 'bend'"),
        ({"sizes": {"train": 3}, "shares": {"bend": -1}}, "shares.bend -1"),
        ({"sizes": {"train": 3}, "shares": dict.fromkeys(sorted(RULES)[:8], 0)}, "numbers from 1 to 2"),
        ({"sizes": {"train": 3}, "lengths": [4]}, "lengths [4]"),
        ({"sizes": {"train": 3}, "book": "digit"}, "did you mean 'digits'"),
        ({"sizes": {"train": 3}, "balanced": ["tset"]}, "did you mean 'test'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        RulesTask(**options)  # type: ignore[arg-type]


def test_a_pool_that_is_too_large_is_refused() -> None:
    with pytest.raises(InputError, match="only 100 more distinct problems"):
        RulesTask({Split.TRAIN: 101}, lengths=[1]).splits()


@given(problems, st.text(max_size=80))
def test_the_grade_is_that_of_the_last_answer_line(problem: Problem, text: str) -> None:
    task = RulesTask({Split.TRAIN: 1})
    assert task.grade(problem, f"{text}\nAnswer: {problem.answer}").score == 1
    other = problem.answer[:-1] + str((int(problem.answer[-1]) + 1) % 10)
    assert task.grade(problem, f"{text}\nAnswer: {other}").score == 0
    assert task.grade(problem, text).score in (0, 1)


@given(problems)
def test_the_reference_solution_has_no_wrong_step(problem: Problem) -> None:
    assert RuleChecker().find_wrong_step(problem, str(problem.reference)) is None


@given(problems, st.integers(0, 2), st.integers(1, 9))
def test_a_planted_slip_is_found(problem: Problem, place: int, slip: int) -> None:
    """From the slip on the solution goes by its own digits, as a student's does."""
    book = check_book("book", problem.metadata["book"])
    names, at, lines = problem.metadata["rules"], problem.metadata["start"], []
    place %= len(names)
    for number, name in enumerate(names):
        right = apply(book, name, at)
        if number == place:
            right = right[:-1] + str((int(right[-1]) + slip) % 10)
        lines.append(f"{at} {name} {right}.")
        at = right
    text = f"{' '.join(lines)}\nAnswer: {at}"
    wrong = RuleChecker().find_wrong_step(problem, text)
    assert wrong is not None
    assert (wrong.kind, wrong.skill) == ("rule", names[place])
    assert text[wrong.start : wrong.end] == wrong.found == lines[place].rstrip(".")


@pytest.mark.parametrize(
    ("text", "kind", "skill"),
    [
        ("4 bend 5. 5 roll 4.\nAnswer: 4", "order", "fold"),
        ("4 fold 5.\nAnswer: 5", "order", "bend"),
        ("4 bend 5.\nAnswer: 5", "order", "fold"),
        ("4 bend 5. 5 fold 4. 4 fold 5.\nAnswer: 5", "order", None),
        ("4 bend 5. 6 fold 3.\nAnswer: 3", "copied", None),
        ("4 bend 5. 5 fold 4.\nAnswer: 7", "answer", None),
        ("4 bend 5. 5 fold 4.", "format", None),
        ("", "format", None),
    ],
)
def test_kinds_of_wrong_steps(text: str, kind: str, skill: str | None) -> None:
    wrong = RuleChecker().find_wrong_step(ASKED, text)
    assert wrong is not None and (wrong.kind, wrong.skill) == (kind, skill)


def test_a_text_that_was_cut_off_is_truncated() -> None:
    wrong = RuleChecker().find_wrong_step(ASKED, "4 bend 5. 5 fo", truncated=True)
    assert wrong is not None and wrong.kind == "truncated"


def test_the_checker_fills_the_seam() -> None:
    assert isinstance(RuleChecker(), StepChecker)


def test_a_bare_answer_and_a_question_of_another_kind_say_nothing() -> None:
    assert RuleChecker().find_wrong_step(ASKED, "Answer: 7") is None
    for question in ("What is 4 + 5?", "Start with 4: hop."):
        assert RuleChecker().find_wrong_step(Problem(question=question, answer="9"), "4 bend 7. Answer: 7") is None


@given(st.text(min_size=1, max_size=300), st.text(alphabet="0123456789 bendfold.Asw:r\n", max_size=300), st.booleans())
def test_the_checker_never_raises(question: str, text: str, truncated: bool) -> None:
    for asked in (Problem(question=question, answer="4"), ASKED):
        wrong = RuleChecker().find_wrong_step(asked, text, truncated)
        assert wrong is None or 0 <= wrong.start <= wrong.end <= len(text)


def test_rules_are_drawn_in_proportion_to_their_shares() -> None:
    rng = random.Random(0)
    shares = {"bend": 3.0, "fold": 1.0, "jump": 0.0}
    first = Counter(draw_rules(rng, 1, shares)[0] for _ in range(2000))
    assert first["jump"] == 0 and 2.5 < first["bend"] / first["fold"] < 3.5
