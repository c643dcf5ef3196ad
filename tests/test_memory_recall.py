"""What is recalled and in what order: hybrid search, its scope, the record of what was taught, contradictions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.errors import RunError
from tutelage.memory import ErrorMemory, OutcomeEntry
from tutelage.memory.description import describe_query
from tutelage.memory.errors import _entry
from tutelage.memory.merit import ENOUGH, PRIOR, WEIGHT, alike, weigh
from tutelage.memory.search import Match
from tutelage.schema import Attempt, Problem, RecalledError, Split
from tutelage.testing.embedder import HashEmbedder

COUNTER = itertools.count()


def error(
    question: str = "What is 51 minus 26?",
    given: str = "35",
    gold: str = "25",
    *,
    skills: tuple[str, ...] = ("subtraction",),
    split: Split = Split.TRAIN,
    cycle: int = 1,
    student: str = "base",
) -> tuple[Problem, Attempt]:
    """Make a problem and a wrong attempt at it."""
    problem = Problem(id=f"p{next(COUNTER)}", question=question, answer=gold, skills=skills)
    attempt = Attempt(
        id=f"a-{problem.id}",
        problem_id=problem.id,
        split=split,
        cycle=cycle,
        student=student,
        text=f"Answer: {given}",
        answer=given,
        score=0,
        correct=False,
        logprob=0,
        tokens=1,
        finish_reason="stop",
    )
    return problem, attempt


def record(memory: ErrorMemory, *errors: tuple[Problem, Attempt]) -> list[str]:
    return memory.record_errors([(problem, attempt, None) for problem, attempt in errors])


def test_questions_with_as_many_numbers_share_a_term() -> None:
    asked = ("7 and 8?", "1.5, 23?", "[4,6]", "9?", "1,000", "1, " * 20)
    terms = [set(describe_query(error(question)[0], None, None, None).terms) for question in asked]
    assert terms[0] == terms[1] == terms[2] != terms[3] == terms[4] and "numbers 9" in terms[5]


def test_the_way_it_is_wrong_finds_what_the_words_do_not(tmp_path: Path) -> None:
    asked, attempt = error("What is 62 minus 38?", given="36", gold="24")
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, *(error(f"What is 62 minus 3{n}?", given="99", gold=f"{62 - 30 - n}") for n in range(8)))
        (like,) = record(memory, error("Tom has $94 - 69$ left. How much?", given="35", gold="25"))
        sought = memory.recall(asked.model_copy(update={"question": "62 - 38 = ?"}), None, None, 1, attempt=attempt)
        assert [one.id for one in sought] == [like]


def test_without_an_attempt_question_skills_and_weakness_are_sought(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, *(error(f"Spell {n}", skills=("spelling",)) for n in "abcdef"))
        (like,) = record(memory, error("What is 51 minus 26?", skills=("subtraction",)))
        asked = Problem(question="How much is 40 less 3?", answer="37", skills=("subtraction",))
        assert [one.id for one in memory.recall(asked, None, "subtraction", 1)] == [like]


def test_only_errors_of_this_task_and_of_the_student_s_line_are_recalled(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), task="chain_sum") as memory:
        ids = record(memory, *(error(student=student) for student in ("base", "c1", "c2")))
        asked = error()[0]
        found = memory.recall(asked, None, None, 9, students=["base", "c2"])
        assert {one.id for one in found} == {ids[0], ids[2]}
        assert memory.recall(asked, None, None, 9, students=[]) == ()
    with ErrorMemory(tmp_path, HashEmbedder(), task="lcm") as memory:
        (other,) = record(memory, error())
        assert [one.id for one in memory.recall(asked, None, None, 9)] == [other]
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert len(memory.recall(asked, None, None, 9)) == 4


@pytest.mark.parametrize(("few", "among"), [(12, True), (60, False)])
def test_few_allowed_errors_are_found_among_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int, among: bool
) -> None:
    """Where next to none are allowed, Chroma is asked among these alone."""
    monkeypatch.setattr("tutelage.memory.search.EXACT", 0)
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, *(error(f"What is {n} minus 26?") for n in range(400)))
        rare = record(memory, *(error(f"Spell word {n}", student="rare") for n in range(few)))
        asked_among: list[bool] = []
        nearest = memory.index.nearest
        memory.index.nearest = lambda *given: (asked_among.append(given[-1] is not None), nearest(*given))[1]  # type: ignore[method-assign]
        found = memory.recall(error()[0], None, None, 3, students=["rare"])
        assert len(found) == 3 and {one.id for one in found} <= set(rare)
        assert any(asked_among) is among


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Split)), st.integers(0, 3), st.sampled_from(["base", "c1"])),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_whatever_is_recorded_recall_keeps_to_its_scope(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[tuple[Split, int, str]], smuggle: bool
) -> None:
    hidden = set(Split) - {Split.TRAIN, Split.PROBE}
    with ErrorMemory(tmp_path_factory.mktemp("memory"), HashEmbedder()) as memory:
        for split, cycle, student in recorded:
            one = error(split=split, cycle=cycle, student=student)
            if split not in hidden:
                record(memory, one)
                continue
            with pytest.raises(ValueError, match=f"{split} split"):
                record(memory, one)
            if smuggle:  # past every check that recording makes
                seen = _entry(one[0], one[1].model_copy(update={"split": Split.TRAIN}), None, "")
                memory.journal.append([seen.model_copy(update={"split": split})])
        asked = error()[0]
        found = memory.recall(asked, None, None, 20)
        assert {memory.journal.errors[one.id].split for one in found} <= {Split.TRAIN, Split.PROBE}
        assert len(found) == sum(split not in hidden for split, _, _ in recorded)
        scoped = memory.recall(asked, None, None, 20, before_cycle=2, students=["c1"])
        assert len(scoped) == sum(s not in hidden and c < 2 and who == "c1" for s, c, who in recorded)


def test_a_journal_with_an_error_of_the_test_split_is_refused(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, error())
    path = tmp_path / "errors.jsonl"
    path.write_text(path.read_text().replace('"train"', '"test"'))
    with pytest.raises(RunError, match=r"errors\.jsonl:1: .*test split must not be remembered"):
        ErrorMemory(tmp_path, HashEmbedder())


def test_a_journal_from_before_tasks_had_names_is_read(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        (old,) = record(memory, error())
    path = tmp_path / "errors.jsonl"
    path.write_text(path.read_text().replace(', "given": "35", "task": ""', ""))
    assert "task" not in path.read_text()
    with ErrorMemory(tmp_path, HashEmbedder(), task="chain_sum") as memory:
        assert [one.id for one in memory.recall(error()[0], None, None, 1)] == [old]


BORROW = "51 - 26: borrow ten from the five. 11 - 6 = 5. 4 - 2 = 2. Answer: 25"
JUMP = "Count up from {} to {}: first to the next ten, then by tens, then the rest."


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ErrorMemory]:
    with ErrorMemory(tmp_path / "memory", HashEmbedder()) as made:
        yield made


def teach(memory: ErrorMemory, text: str, fixed: bool, cycle: int = 1, **given: object) -> str:
    """Record an error like all the others, and what became of it."""
    (one,) = record(memory, error(**given))  # type: ignore[arg-type]
    memory.record_outcome(one, rationale_id=f"r-{one}", taught=text, fixed=fixed, cycle=cycle)
    return one


def recall(memory: ErrorMemory, limit: int = 9) -> tuple[RecalledError, ...]:
    problem, attempt = error()
    return memory.recall(problem, None, None, limit, attempt=attempt)


def test_explanations_are_alike_whatever_their_numbers() -> None:
    assert alike(BORROW, BORROW.replace("51", "8,412").replace("26", "1.5"))
    assert not alike(BORROW, JUMP.format(26, 51))
    assert alike("", "") and not alike("", BORROW)


def test_an_explanation_that_fixed_similar_errors_ranks_higher(memory: ErrorMemory) -> None:
    """Each of the two was followed by a right answer once; what tells them apart is the record among similar errors."""
    lucky = teach(memory, JUMP.format(26, 51), fixed=True)
    good = teach(memory, BORROW, fixed=True)
    for n in range(3):
        teach(memory, BORROW.replace("51", f"5{n}"), fixed=True)
        teach(memory, JUMP.format(n, 51), fixed=False)
    ranks = [one.id for one in recall(memory)]
    assert ranks.index(good) < ranks.index(lucky) if lucky in ranks else good in ranks
    best = recall(memory, 1)[0]
    assert (best.helped, best.tried, best.fixed) == (4, 4, True)


def test_merit_is_the_posterior_mean_above_the_base() -> None:
    def found(n: int, text: str, fixed: bool) -> tuple[Match, list[OutcomeEntry]]:
        problem, attempt = error()
        entry = _entry(problem, attempt, None, "")
        outcome = OutcomeEntry(error_id=entry.id, rationale_id=f"r{n}", taught=text, fixed=fixed, cycle=1)
        return Match(entry, 0.5), [outcome]

    some = [found(n, BORROW, fixed) for n, fixed in enumerate((True, True, True, False))]
    other = [found(9, JUMP, False)]
    first, *_, last = weigh([*some, *other], None, ())
    base = (3 + 1) / (5 + 2)
    assert first.base == base and (first.helped, first.tried) == (3, 4)
    assert first.merit == pytest.approx((3 + PRIOR * base) / (4 + PRIOR) - base)
    assert last.merit == pytest.approx((0 + PRIOR * base) / (1 + PRIOR) - base) and last.merit < 0
    assert first.usefulness == pytest.approx(0.5 + WEIGHT * first.merit, abs=1e-6)


def test_a_failure_counts_though_another_explanation_fixed_the_error_later(memory: ErrorMemory) -> None:
    for n in range(3):
        one = teach(memory, JUMP.format(n, 51), fixed=False)
        memory.record_outcome(one, rationale_id=f"later-{n}", taught=BORROW, fixed=True, cycle=2)
    other = teach(memory, JUMP.format(7, 51), fixed=True)
    record_of = {one.taught: (one.helped, one.tried) for one in recall(memory)}
    assert record_of[BORROW] == (3, 3)
    assert record_of[JUMP.format(7, 51)] == (1, 4), "its three failures are remembered"
    shown = {one.id: one for one in recall(memory)}
    assert shown[other].fixed is False, "by that record it does worse than the others"


def test_a_lesson_counts_once_however_many_errors_it_was_to_mend(memory: ErrorMemory) -> None:
    problem, attempt = error()
    tries = [(problem, attempt.model_copy(update={"text": f"Answer: {n}", "id": f"a{n}"}), None) for n in range(6)]
    for one in memory.record_errors(tries):
        memory.record_outcome(one, rationale_id="r", taught=BORROW, fixed=True, cycle=1)
    assert [(one.helped, one.tried) for one in recall(memory)] == [(1, 1)]


def test_what_has_not_helped_is_not_shown_as_a_fix(memory: ErrorMemory) -> None:
    for n in range(ENOUGH):
        teach(memory, BORROW.replace("51", f"5{n}"), fixed=False)
        teach(memory, JUMP.format(n, 51), fixed=True)
    lucky = teach(memory, BORROW, fixed=True)
    shown = {one.id: one for one in recall(memory)}
    taught = [one for one in shown.values() if one.taught and "borrow" in one.taught]
    assert taught and {one.fixed for one in taught} == {False}
    assert shown[lucky].fixed is False and (shown[lucky].helped, shown[lucky].tried) == (1, ENOUGH + 1)


def test_of_two_that_contradict_each_other_the_less_useful_is_left_out(memory: ErrorMemory) -> None:
    good = teach(memory, BORROW, fixed=True)
    bad = teach(memory, BORROW.replace("51", "52"), fixed=False)
    other = teach(memory, JUMP.format(26, 51), fixed=False)
    shown = [one.id for one in recall(memory)]
    assert (good in shown) != (bad in shown), "the same explanation must not be shown as a fix and as none"
    assert other in shown, "that another explanation failed contradicts nobody"


def test_what_was_taught_for_something_else_is_no_fix(memory: ErrorMemory) -> None:
    teach(memory, "Reverse the word letter by letter.", fixed=True, skills=("spelling",))
    (one,) = recall(memory)
    assert (one.taught, one.fixed, one.tried) == (None, None, 0)


def test_recall_is_the_same_after_reading_the_journal_again(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        for n in range(20):
            teach(memory, BORROW if n % 3 else JUMP.format(n, 51), fixed=n % 2 == 0, cycle=n % 4)
        problem, attempt = error()
        before = memory.recall(problem, None, None, 5, attempt=attempt)
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert memory.recall(problem, None, None, 5, attempt=attempt) == before
