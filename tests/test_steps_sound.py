"""Right solutions in ways of their own raise no alarm."""

from __future__ import annotations

import pytest

from tutelage.agents.steps import find_wrong_step

WAYS = [
    ("What is 35% of 80?", "80 * 35 / 100 = 28. Answer: 28"),
    ("What is 35% of 80?", "100% - 35% = 65%. 65% of 80 = 52. 80 - 52 = 28. Answer: 28"),
    ("What is 3/4 + 1/6?", "9/12 + 2/12 = 11/12. Answer: 11/12"),
    ("What is 51 - 26?", "26 + 25 = 51. Answer: 25"),
    ("What is 51 - 26?", "26 + 25 = 51, so the difference is 25. Answer: 25"),
    ("What is 51 - 26?", "55 - 30 = 25. Answer: 25"),
    ("What is 84 - 57?", "14 - 7 = 7. 70 - 50 = 20. 20 + 7 = 27. Answer: 27"),
    ("What is 84 - 57?", "57 + 3 = 60, 60 + 24 = 84, 3 + 24 = 27. Answer: 27"),
    ("What is 56 / 4?", "40 / 4 = 10. 16 / 4 = 4. 10 + 4 = 14. Answer: 14"),
    ("What is 1.2 * 1.5?", "12 * 15 = 180. Two decimal places: 1.8. Answer: 1.8"),
    ("What is 999 + 77?", "1000 + 76 = 1076. Answer: 1076"),
    ("What is 25 * 16?", "50 * 8 = 400. Answer: 400"),
    ("What is 23 * 14?", "25 * 14 = 350. 2 * 14 = 28. 350 - 28 = 322. Answer: 322"),
    ("What is 47 + 38?", "7 + 8 = 15, write 5, carry 1. 4 + 3 + 1 = 8. Answer: 85"),
    ("What is 23 * 14?", "20 * 14 = 280. 3 * 14 = 42. Answer: 322"),
    ("What is 10 / 3?", "10 / 3 = 3.33. Answer: 3.33"),
]
"""A question and a right solution of it."""


@pytest.mark.parametrize(("question", "text"), WAYS)
def test_a_way_of_one_s_own_is_right(question: str, text: str) -> None:
    assert find_wrong_step(question, text) is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is 35% of 80?", "80 * 35 / 100 = 28"),
        ("What is 3/4 + 1/6?", "9/12 + 2/12 = 11/12"),
        ("What is 51 - 26?", "26 + 25 = 51"),
        ("What is 51 - 26?", "55 - 30 = 25"),
        ("What is 84 - 57?", "14 - 7 = 7"),
        ("What is 84 - 57?", "57 + 3 = 60, 60 + 24 = 84, 3 + 24 = 27"),
        ("What is 56 / 4?", "40 / 4 = 10. 16 / 4 = 4."),
        ("What is 1.2 * 1.5?", "12 * 15 = 180"),
        ("What is 999 + 77?", "1000 + 76 = 1076"),
        ("What is 25 * 16?", "50 * 8 = 400"),
    ],
)
def test_a_way_of_one_s_own_that_was_cut_off_is_not_called_copied(question: str, text: str) -> None:
    step = find_wrong_step(question, f"{text}. So it", truncated=True)
    assert step is not None and step.kind == "truncated"


@pytest.mark.parametrize(
    "text",
    [
        "45 minutes + 45 minutes = 1 hour 30 minutes",
        "45 minutes + 45 minutes = 1 hour and 30 minutes",
        "16 oz + 16 oz = 2 lb",
        "30 secs + 30 secs = 1 min",
        "5 * 20 cents = $1",
        "$2 = 200 cents",
        "$2.50 + 50 cents = $3.00",
        "5 feet 6 inches + 2 inches = 5 feet 8 inches",
        "sqrt(16) + 2 = 6",
        "abs(-5) + 3 = 8",
        "floor(7 / 2) = 3",
        "round(7 / 2) = 4",
        "7 / 2 = 3, remainder 1",
        "7 / 2 = 3 with remainder 1",
        "7 / 2 = 3 with a remainder of 1",
        "Step 1 - 5 + 3 = 8",
        "100% - 35% = 65%",
        "12% + 5% = 17%",
        "50 + 20% = 60",
        r"\(\frac{1}{2} + \frac{1}{4} = \frac{3}{4}\)",
        r"3 \div \frac{1}{2} = 6",
        r"1\frac{1}{2} + 1 = 2.5",
        "10 / 3 = 3",
        "10 / 3 = 3.3",
        "20 / 3 = 6.66 and 20 / 3 = 6.67 and 20 / 3 = 7",
        "0.88 * 40 = 35 students",
    ],
)
def test_a_right_equation_is_no_alarm(text: str) -> None:
    assert find_wrong_step("A story.", f"{text}. Answer: yes") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1/3 + 1/3 = 1", "1"),
        ("1.5 + 1.4 = 2", "2"),
        ("0.5 + 0.6 = 2", "2"),
        ("2.5 * 3 = 8", "8"),
        ("15% of 50 = 8", "8"),
        ("10 / 3 = 4", "4"),
        ("10 / 3 = 3.4", "3.4"),
        ("20 / 3 = 6.68", "6.68"),
        ("12% + 5% = 18%", "0.18"),
        ("$2 + $3 = $6", "6"),
        ("45 minutes + 45 minutes = 100 minutes", "100"),
        ("Then 8 - 3 = 6", "6"),
        ("the bus (5 + 3) = 9", "9"),
        (r"\(\frac{1}{2} + \frac{1}{4} = \frac{2}{6}\)", "\\frac{2}{6}"),
    ],
)
def test_a_wrong_equation_is_one(text: str, found: str) -> None:
    step = find_wrong_step("A story.", f"{text}. Answer: yes")
    assert step is not None
    assert (step.kind, step.found) == ("equation", found)
    assert text[step.start : step.end].endswith(found.removeprefix("0.")) or "%" in text


LIST = "12 apples + 30 apples = 42 apples. "


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 12 + "\nAnswer: 12",
        "".join(f"{LIST}{n} + 1 = {n + 1}. " for n in range(6)) + "Answer: 6",
        "5.75 + 0.5 = 6.25. Answer: 6",
        "23 / 4 = 5.75. Answer: 5",
        "23 / 4 = 5.75. Answer: 6",
        "2 / 8 = 0.25. Answer: 25%",
        "25% + 50% = 75%. Answer: 75",
    ],
)
def test_these_are_no_other_wrong_steps(text: str) -> None:
    assert find_wrong_step("A story.", text) is None


@pytest.mark.parametrize(
    "text", ["5.25 + 0.5 = 5.75. Answer: 5", "5 + 0.25 = 5.25. Answer: 525", "5 + 3 = 8. Answer: 0.08"]
)
def test_another_number_is_not_the_result(text: str) -> None:
    step = find_wrong_step("A story.", text)
    assert step is not None and step.kind == "answer"


@pytest.mark.parametrize("text", ["I do not know", "51 - 26", "The result is 24", "Let me think."])
def test_a_lone_line_that_is_no_answer(text: str) -> None:
    step = find_wrong_step("What is 51 - 26?", text)
    assert step is not None and step.kind == "format"


@pytest.mark.parametrize(
    "text",
    [
        *("25", "**25**", "25.", "-3.5", "1/2", "25%", "$1,250.50", "3 km", "1 hour 30 minutes", "03:45:00"),
        *("B", "(B)", "B) New York", "(C) none of these", "Paris", "yes.", "twenty-five"),
    ],
)
def test_a_lone_answer(text: str) -> None:
    assert find_wrong_step("A story.", text) is None


def test_an_answer_with_something_after_it_is_complete() -> None:
    assert find_wrong_step("What is 51 - 26?", "51 - 26 = 25. Answer: 25. Also", truncated=True) is None
    step = find_wrong_step("What is 51 - 26?", "51 - 26 = 25. Answer: 2", truncated=True)
    assert step is not None and step.kind == "truncated"


def test_a_fraction_is_held_against_the_percentage_before_it() -> None:
    step = find_wrong_step("A story.", "25% = 1/3. Answer: 1")
    assert step is not None
    assert (step.kind, step.expected, step.found) == ("equation", "0.25", "1/3")
    step = find_wrong_step("A story.", "16 = 5 * 3. Answer: 1")
    assert step is not None
    assert (step.expected, step.found) == ("15", "16")
