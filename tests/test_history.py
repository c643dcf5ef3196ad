"""The history a teacher is shown: the most informative errors first, within a token budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tutelage.agents.prompts import count_tokens, probe_error
from tutelage.graphs.lesson.history import History
from tutelage.schema import Attempt, Diagnosis, ProbeError, Problem, Split, Weakness, WrongStep

PROBLEM = Problem(question="51 - 26 =", answer="25", skills=("borrow", "carry"))


def error(number: int, skill: str, found: str = "", padding: int = 0) -> ProbeError:
    text = found or f"{number} - 1 = 0"
    step = WrongStep(kind="equation", start=0, end=len(text), expected="1", found="0", skill=skill)
    attempt = Attempt(
        id=f"a{number:03d}", problem_id=f"p{number}", split=Split.PROBE, cycle=1, student="base",
        text=text + " so" * padding, answer=None, score=0.0, correct=False, logprob=-1.0, tokens=5,
        finish_reason="stop", wrong_step=step,
    )  # fmt: skip
    return ProbeError(problem=Problem(question=f"question {number:03d}", answer="1", skills=(skill,)), attempt=attempt)


def diagnosis(**severity: float) -> Diagnosis:
    weak = tuple(Weakness(name=n, pass_rate=0.0, support=9, severity=s) for n, s in severity.items())
    return Diagnosis(cycle=1, student="base", accuracy=0.0, weaknesses=weak, mastery=())


def chosen(history: History, budget: int, weakness: str | None = "borrow") -> list[str]:
    return [one.attempt.id for one in history.about(PROBLEM, weakness, budget)]


def test_what_the_problem_is_taught_for_comes_first_then_other_weaknesses_by_severity() -> None:
    errors = [error(1, "severe"), error(2, "mild"), error(3, "carry"), error(4, "borrow"), error(5, "unknown")]
    history = History(errors, diagnosis(borrow=0.1, carry=0.1, severe=0.5, mild=0.2))
    assert chosen(history, 10_000) == ["a004", "a003", "a001", "a002", "a005"]
    assert chosen(history, 10_000, weakness="mild")[0] == "a002"


def test_distinct_weaknesses_and_distinct_steps_come_before_more_of_the_same() -> None:
    errors = [error(n, "borrow") for n in range(1, 5)] + [error(9, "severe")]
    history = History(errors, diagnosis(borrow=0.1, severe=0.6))
    assert chosen(history, 10_000)[:3] == ["a001", "a009", "a002"]
    repeated = [error(1, "borrow", "3 - 1 = 0"), error(2, "borrow", "3 - 1 = 0"), error(3, "borrow", "9 - 1 = 0")]
    assert chosen(History(repeated, diagnosis(borrow=0.1)), 10_000) == ["a001", "a003", "a002"]


def test_of_equal_ones_the_shorter_comes_first_and_what_does_not_fit_is_passed_over() -> None:
    errors = [error(1, "borrow", padding=80), error(2, "borrow", padding=9), error(3, "carry", padding=2)]
    history = History(errors, diagnosis(borrow=0.3, carry=0.3))
    assert chosen(history, 10_000) == ["a002", "a003", "a001"]
    tokens = {one.attempt.id: count_tokens(probe_error(one)) for one in errors}
    assert chosen(history, tokens["a002"] + tokens["a003"]) == ["a002", "a003"]
    assert chosen(history, tokens["a003"]) == ["a003"]
    assert chosen(history, 0) == []


ERRORS = st.lists(st.tuples(st.sampled_from(["borrow", "carry", "other"]), st.integers(0, 60)), max_size=12)


@given(ERRORS, st.integers(0, 600), st.randoms())
def test_the_budget_is_kept_and_the_order_of_the_file_does_not_matter(made, budget, random) -> None:
    errors = [error(n, skill, padding=padding) for n, (skill, padding) in enumerate(made)]
    weak = diagnosis(borrow=0.2, carry=0.4)
    found = History(errors, weak).about(PROBLEM, "borrow", budget)
    assert sum(count_tokens(probe_error(one)) for one in found) <= budget
    left = [one for one in errors if one not in found]
    room = budget - sum(count_tokens(probe_error(one)) for one in found)
    assert all(count_tokens(probe_error(one)) > room for one in left), "nothing that fits is left out"
    random.shuffle(errors)
    assert History(errors, weak).about(PROBLEM, "borrow", budget) == found
