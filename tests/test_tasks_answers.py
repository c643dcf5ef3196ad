import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.answers import as_number, contains, denies, extract_answer, negations, same
from tutelage.schema import Problem
from tutelage.tasks.dataset import DatasetTask
from tutelage.tasks.guard import may_verify
from tutelage.tasks.multiple_choice import MultipleChoiceTask
from tutelage.tasks.quiz import QuizTask
from tutelage.tasks.reasoning_gym import ReasoningGymTask

TASK = DatasetTask("unread.jsonl")
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
GOLDS = st.one_of(WORDS, st.integers().map(str), st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 5", "5"),
        ("Answer: 4\nno, wait\nAnswer: 5\nThat is it.", "5"),
        ("so **Answer:** 5.", "5"),
        ("answer: `x + 1`;", "x + 1"),
        ("Answer: $\\boxed{12}$", "12"),
        ("Answer: \\boxed{12}.", "12"),
        ("Answer: 7<|im_end|>\n<|im_start|>user", "7"),
        ('Answer: "Paris"!', "Paris"),
        ("Answer: ...", "..."),
        ("Answer:", None),
        ("Answer: \nthe next line", None),
        ("5", None),
        ("", None),
    ],
)
def test_extract_answer(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-7", Fraction(-7)),
        ("−7", Fraction(-7)),
        ("1,000", Fraction(1000)),
        ("3.50", Fraction(7, 2)),
        ("1/2", Fraction(1, 2)),
        ("$18", Fraction(18)),
        (".5", Fraction(1, 2)),
        ("1/0", None),
        ("1,00", None),
        ("2 + 3", None),
        ("1e999999999", None),
        ("9" * 10_000, None),
        ("twelve", None),
        ("", None),
    ],
)
def test_as_number(text, number):
    assert as_number(text) == number


def test_same_compares_numbers_and_texts():
    assert same("1,000.0", "1000") and same("1/2", "0.5") and same("  New   YORK ", "new york")
    assert not same("5", "-5") and not same("2 + 3", "5") and not same("10", "100")


def test_contains_whole_words_only():
    assert contains("The capital is Buenos\n Aires.", "buenos aires") and contains("It’s H2O!", "H2O")
    assert (
        not contains("-18.0 or 5,000", "0")
        and not contains("Parisian", "Paris")
        and not contains("", "x")
        and not contains("nowhere", "now")
    )


@settings(deadline=None)
@given(before=st.text(), gold=GOLDS, after=st.lists(st.text().filter(lambda t: "answer" not in t.casefold())))
def test_the_gold_answer_after_any_text_is_right(before, gold, after):
    problem = Problem(question="q", answer=gold)
    text = "\n".join([f"{before}Answer: {gold}", *after])
    assert TASK.grade(problem, text).score == 1


@settings(deadline=None)
@given(answer=st.integers(), gold=st.integers())
def test_only_equal_integers_are_right(answer, gold):
    assert TASK.grade(Problem(question="q", answer=str(gold)), f"Answer: {answer:,}").score == (answer == gold)


@pytest.fixture(scope="module")
def gym():
    return ReasoningGymTask("countdown", {"train": 2})


@given(text=st.one_of(st.text(), st.text().map("Answer: {}".format)))
@settings(max_examples=60, deadline=None)
def test_no_text_makes_a_grader_raise(gym, text):
    choices = Problem(question="q", answer="A", metadata={"choices": {"A": "one", "B": "two"}})
    for task, problem in (
        (TASK, Problem(question="q", answer="5")),
        (MultipleChoiceTask("unread.jsonl"), choices),
        (QuizTask(), QUIZ),
        (gym, gym.splits()["train"][0]),
    ):
        assert 0 <= task.grade(problem, text).score <= 1


QUIZ = Problem(question="q", answer="Paris", metadata={"aliases": ["City of Light"]})

HOSTILE = [
    "__import__('os').getcwd()",
    "().__class__",
    "9**9**9**9",
    "exit()",
    "[" * 3000,
    "1e999999999",
    "a.__b__",
]


@pytest.mark.parametrize(
    "dataset", ["countdown", "puzzle24", "n_queens", "spiral_matrix", "simple_integration", "polynomial_multiplication"]
)
def test_verifiers_that_evaluate_see_no_code(dataset):
    for answer in HOSTILE:
        assert not may_verify(dataset, answer, "x"), answer


def test_verifiers_see_honest_answers():
    assert may_verify("countdown", "(82 + 20) * 3 - 50/2", "1") and may_verify("n_queens", "[['_', 'Q']]", "x")
    assert may_verify("simple_integration", "3*x**12/4 + C", "x**2") and may_verify("chain_sum", "anything", "5")
    assert may_verify("intermediate_integration", "exp(2*x)*sin(x) + x**2", "x")
    assert not may_verify("simple_integration", "((x+1)**9)**9", "x") and not may_verify("coin_flip", "1e99999", "1")


def test_a_hostile_answer_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = ReasoningGymTask("spiral_matrix", {"train": 1})
    problem = task.splits()["train"][0]
    code = "Answer: open('made', 'w').write('x')"
    assert task.grade(problem, code).score == 0
    assert not (tmp_path / "made").exists()
    assert json.dumps(problem.metadata)


@pytest.mark.parametrize(
    ("text", "answer", "denied"),
    [
        ("It is not Rome.", "rome", True),
        ("It isn\u2019t Rome, it never was Rome", "Rome", True),
        ("It is not Oslo, but Rome", "Rome", False),
        ("It is not Oslo but Rome", "Rome", False),
        ("Rome; Oslo it is not", "Rome", False),
        ("It was not long before Oslo", "Rome", False),  # not named
        ("No.", "no", False),  # the answer's own word
        ("The answer is not 12,500", "12,500", True),
        ("", "Rome", False),
    ],
)
def test_a_clause_that_negates_denies_what_it_names(text: str, answer: str, denied: bool) -> None:
    assert denies(text, answer) is denied


def test_words_that_negate() -> None:
    assert negations("Not so: it isn\u2019t, cannot, won't") == {"not", "isn't", "cannot", "won't"}
    assert negations("a knot, nothing noted") == set()
