"""The error memory: what is recorded, what is refused, what is recalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutelage.errors import RunError
from tutelage.memory import ErrorMemory
from tutelage.schema import Attempt, Problem, RecalledError, Split, WrongStep
from tutelage.testing.embedder import HashEmbedder

BORROW = WrongStep(
    kind="equation", start=0, end=12, expected="25", found="51 - 26 = 35", skill="subtraction with borrow"
)
TIMES = WrongStep(kind="equation", start=0, end=9, expected="56", found="7 * 8 = 54", skill="times table")


def problem(question: str, *skills: str) -> Problem:
    return Problem(question=question, answer="25", skills=skills)


def wrong(
    of: Problem, text: str = "35", cycle: int = 1, split: Split = Split.TRAIN, step: WrongStep | None = None
) -> Attempt:
    return Attempt(
        id=f"a-{of.id}-{cycle}",
        problem_id=of.id,
        split=split,
        cycle=cycle,
        student=f"checkpoints/cycle-{cycle:03d}",
        text=text,
        answer=text,
        score=0.0,
        correct=False,
        logprob=-1.0,
        tokens=3,
        finish_reason="stop",
        wrong_step=step,
    )


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ErrorMemory]:
    with ErrorMemory(tmp_path / "memory", HashEmbedder()) as made:
        yield made


def fill(memory: ErrorMemory, n: int = 30) -> None:
    """Record errors that have nothing to do with subtraction."""
    items = [problem(f"What is {i} times {i + 2}?", "times table") for i in range(n)]
    memory.record_errors([(p, wrong(p, f"no {i}", step=TIMES), "times table") for i, p in enumerate(items)])


def test_recall_finds_the_planted_similar_error(memory: ErrorMemory) -> None:
    fill(memory)
    planted = problem("What is 51 minus 26?", "subtraction with borrow")
    planted_id = memory.record_error(planted, wrong(planted, "51 - 26 = 35.", step=BORROW), "subtraction with borrow")
    asked = problem("What is 72 minus 38?")
    found = memory.recall(asked, BORROW, "subtraction with borrow", limit=2)
    assert [type(one) for one in found] == [RecalledError, RecalledError]
    assert found[0].id == planted_id
    assert found[0].attempt == "51 - 26 = 35."
    assert found[0].wrong_step == BORROW
    assert found[0].fixed is None and found[0].taught is None
    assert found[0].similarity > found[1].similarity + 0.1


def test_a_fixed_error_comes_first_and_an_unfixed_one_last(memory: ErrorMemory) -> None:
    like = [problem(f"What is 5{i} minus 2{i + 1}?") for i in range(3)]
    ids = memory.record_errors([(p, wrong(p, step=BORROW), None) for p in like])
    by_merit = sorted(ids)  # equal similarity would put them in this order
    memory.record_outcome(by_merit[0], rationale_id="r0", taught="no help", fixed=False, cycle=1)
    memory.record_outcome(by_merit[2], rationale_id="r2", taught="borrow ten", fixed=True, cycle=1)
    found = memory.recall(problem("What is 50 minus 21?"), BORROW, None, limit=3)
    ranks = {one.id: rank for rank, one in enumerate(found)}
    spread = max(one.similarity for one in found) - min(one.similarity for one in found)
    assert spread < 0.1, "the texts must be alike for the fate to decide"
    assert ranks == {by_merit[2]: 0, by_merit[1]: 1, by_merit[0]: 2}
    assert [(one.fixed, one.taught) for one in found] == [(True, "borrow ten"), (None, None), (False, "no help")]


def test_the_text_that_fixed_an_error_is_recalled_even_if_a_later_one_failed(memory: ErrorMemory) -> None:
    one = problem("What is 51 minus 26?")
    error = memory.record_error(one, wrong(one))
    memory.record_outcome(error, rationale_id="r1", taught="helped", fixed=True, cycle=1)
    memory.record_outcome(error, rationale_id="r2", taught="did not", fixed=False, cycle=2)
    assert [(r.taught, r.fixed) for r in memory.recall(one, None, None, 1)] == [("helped", True)]


def test_one_recall_a_problem_and_none_twice(memory: ErrorMemory) -> None:
    one, other = problem("What is 51 minus 26?"), problem("What is 51 minus 27?")
    for cycle in range(1, 6):
        for sample in range(10):
            memory.record_error(one, wrong(one, f"text {cycle} {sample}", cycle))
    memory.record_error(other, wrong(other))
    found = memory.recall(one, None, None, limit=2)
    assert sorted(r.problem_id for r in found) == sorted([one.id, other.id])


def test_recall_can_leave_out_the_problem_and_later_cycles(memory: ErrorMemory) -> None:
    one, other = problem("What is 51 minus 26?"), problem("What is 51 minus 27?")
    memory.record_error(one, wrong(one, cycle=1))
    error = memory.record_error(other, wrong(other, cycle=2))
    memory.record_outcome(error, rationale_id="r", taught="later", fixed=True, cycle=4)
    assert [r.problem_id for r in memory.recall(one, None, None, 5, exclude_problem=True)] == [other.id]
    assert [r.problem_id for r in memory.recall(one, None, None, 5, before_cycle=2)] == [one.id]
    assert memory.recall(one, None, None, 5, before_cycle=2, exclude_problem=True) == ()
    assert [r.fixed for r in memory.recall(other, None, None, 1, before_cycle=3)] == [None]
    assert [r.fixed for r in memory.recall(other, None, None, 1, before_cycle=4)] == [True]


def test_recall_of_nothing(memory: ErrorMemory) -> None:
    assert memory.recall(problem("What is 1 + 1?"), None, None, 3) == ()
    fill(memory, 3)
    assert memory.recall(problem("What is 1 + 1?"), None, None, 0) == ()
    assert len(memory.recall(problem("What is 1 + 1?"), None, None, 50)) == 3


@pytest.mark.parametrize("split", [Split.GATE, Split.TEST, Split.RETENTION])
def test_errors_that_no_teacher_may_see_are_refused(memory: ErrorMemory, split: Split) -> None:
    one = problem("What is 51 minus 26?")
    with pytest.raises(ValueError, match=f"{split} split"):
        memory.record_error(one, wrong(one, split=split))
    assert not memory.journal.path.exists()


def test_what_is_no_error_of_this_problem_is_refused(memory: ErrorMemory) -> None:
    one, other = problem("What is 51 minus 26?"), problem("What is 2 + 2?")
    with pytest.raises(ValueError, match="is right"):
        memory.record_error(one, wrong(one).model_copy(update={"correct": True}))
    with pytest.raises(ValueError, match="is of problem"):
        memory.record_error(other, wrong(one))
    with pytest.raises(ValueError, match="no error 'nope'"):
        memory.record_outcome("nope", rationale_id=None, taught="", fixed=True, cycle=1)


def test_recording_twice_writes_once(memory: ErrorMemory) -> None:
    one = problem("What is 51 minus 26?")
    first = memory.record_error(one, wrong(one), "borrow")
    memory.record_outcome(first, rationale_id="r", taught="t", fixed=True, cycle=1)
    before = memory.journal.path.read_bytes()
    assert memory.record_error(one, wrong(one), "borrow") == first
    memory.record_outcome(first, rationale_id="r", taught="t", fixed=True, cycle=1)
    assert memory.journal.path.read_bytes() == before
    assert before.count(b"\n") == 2
    assert memory.record_error(one, wrong(one, cycle=2)) != first, "another student's error is another error"


def test_new_errors_are_embedded_many_at_once(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder) as memory:
        fill(memory, 40)
        memory.recall(problem("What is 3 times 5?"), None, None, 1)
        memory.recall(problem("What is 3 times 6?"), None, None, 1)
    assert embedder.calls == [40, 1, 1]


def test_a_second_writer_is_told_the_lock(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder()):
        start = time.monotonic()
        with pytest.raises(RunError) as caught:
            ErrorMemory(tmp_path, HashEmbedder())
        assert time.monotonic() - start < 2
    assert str(tmp_path / "lock") in str(caught.value) and "\n" not in str(caught.value)
    ErrorMemory(tmp_path, HashEmbedder()).close()


def test_a_failed_open_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / "errors.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match=r"errors\.jsonl:1"):
        ErrorMemory(tmp_path, HashEmbedder())
    (tmp_path / "errors.jsonl").unlink()
    ErrorMemory(tmp_path, HashEmbedder()).close()


WRITER = """
import sys
from pathlib import Path
from tutelage.memory import ErrorMemory
from tutelage.schema import Attempt, Problem
from tutelage.testing.embedder import HashEmbedder
memory = ErrorMemory(Path(sys.argv[1]), HashEmbedder())
for i in range(10**6):
    p = Problem(question=f"What is {i} minus 26?", answer="25")
    memory.record_error(p, Attempt(id="a", problem_id=p.id, split="train", cycle=1, student="base", text="x" * 5000,
        answer=None, score=0, correct=False, logprob=0, tokens=1, finish_reason="stop"))
    if i == 5:
        print("going", flush=True)
"""


def test_kill_while_writing_loses_no_line_and_frees_the_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"going\n"
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    whole = (tmp_path / "errors.jsonl").read_bytes().count(b"\n")
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert len(memory.journal.errors) >= max(6, whole)
        assert memory.journal.path.read_bytes().endswith(b"\n")
        found = memory.recall(problem("What is 3 minus 26?"), None, None, 3)
        assert found[0].question == "What is 3 minus 26?"
