from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.arithmetic import as_text, evaluate, skill_of, skills_of, work

OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if a is not None and b else None,
}
LEAVES = st.one_of(
    st.integers(0, 10**6).map(lambda n: (str(n), Fraction(n))),
    st.integers(0, 10**6).map(lambda n: (f"{n:,}", Fraction(n))),
    st.decimals(0, 1000, places=2).map(lambda d: (str(d), Fraction(d))),
)


def _combine(children):
    def plain(parts):
        (left, a), op, (right, b) = parts
        value = None if a is None or b is None else OPERATIONS[op](a, b)
        return f"({left}){op}({right})", value

    def signed(parts):
        (left, a), op, (right, b) = parts
        value = None if a is None else OPERATIONS[op](a, -b)
        return f"({left}) { {'*': '×', '/': '÷'}.get(op, op) } -{right}", value

    operators = st.sampled_from("+-*/")
    return st.one_of(
        st.tuples(children, operators, children).map(plain), st.tuples(children, operators, LEAVES).map(signed)
    )


@given(st.recursive(LEAVES, _combine, max_leaves=12))
def test_random_trees_evaluate_as_fractions_do(tree):
    text, value = tree
    assert evaluate(text) == value


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 99)), min_size=1, max_size=8), st.integers(0, 99))
def test_precedence_matches_python(terms, first):
    text = str(first) + "".join(f" {op} {n}" for op, n in terms)
    # Our own fold over sums of products, so that the test does not use the parser it tests.
    total, product, sign = 0, first, 1
    for op, n in terms:
        if op == "*":
            product *= n
        else:
            total, product, sign = total + sign * product, n, 1 if op == "+" else -1
    assert evaluate(text) == total + sign * product
    assert len(work(text)) == len(terms)


@given(st.text(max_size=200))
def test_any_text_is_survived(text):
    value = evaluate(text)
    assert value is None or isinstance(value, Fraction)
    assert bool(work(text)) <= (value is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5/0",
        "1,23",
        "1,2345",
        "3 4",
        "2(3)",
        "(1",
        "1)",
        "5 +",
        "* 5",
        "2 ** 3",
        "1e5",
        "٣ + 1",
        "__import__",
        "1" * 2000,
        "(" * 60 + "1" + ")" * 60,
        "-" * 60 + "1",
        "1/(2-2)",
    ],
)
def test_what_is_not_arithmetic_gives_none(text):
    assert evaluate(text) is None
    assert work(text) == ()


def test_steps_follow_evaluation_order():
    steps = work("51 - 26 + 2 * (3 + 4)")
    assert [(int(s.left), s.op, int(s.right), int(s.result)) for s in steps] == [
        (51, "-", 26, 25),
        (3, "+", 4, 7),
        (2, "*", 7, 14),
        (25, "+", 14, 39),
    ]
    assert skills_of("51 - 26 + 2 * (3 + 4)") == (
        "addition without carry",
        "multiplication by one digit",
        "subtraction with borrow",
    )


@pytest.mark.parametrize(
    ("left", "op", "right", "skill"),
    [
        (12, "+", 34, "addition without carry"),
        (19, "+", 2, "addition with carry"),
        (190, "+", 20, "addition with carry"),
        (51, "-", 21, "subtraction without borrow"),
        (51, "-", 26, "subtraction with borrow"),
        (500, "-", 60, "subtraction with borrow"),
        (3, "-", 7, "subtraction below zero"),
        (3, "+", -7, "subtraction below zero"),
        (51, "+", -26, "subtraction with borrow"),
        (19, "-", -2, "addition with carry"),
        (-4, "+", 9, "from a negative number"),
        (-4, "-", 9, "from a negative number"),
        (12, "*", 7, "multiplication by one digit"),
        (12, "*", 17, "long multiplication"),
        (12, "/", 4, "division"),
        (Fraction(1, 2), "+", 1, "addition of decimals"),
        (Fraction(1, 3), "*", 2, "multiplication of fractions"),
    ],
)
def test_skill_names(left, op, right, skill):
    assert skill_of(Fraction(left), op, Fraction(right)) == skill


@given(st.fractions())
def test_as_text_is_read_back(number):
    assert evaluate(as_text(number)) == number


def test_as_text_writes_decimals():
    assert [as_text(Fraction(n)) for n in ("5", "-1/2", "1/40", "1/3")] == ["5", "-0.5", "0.025", "1/3"]
