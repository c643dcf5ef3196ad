"""A full memory forgets in a known order, and the journal tells of it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tutelage.errors import RunError
from tutelage.memory import ErrorMemory
from tutelage.memory.errors import _entry
from tutelage.memory.eviction import SLACK, to_evict
from tutelage.memory.journal import ErrorJournal
from tutelage.schema import Attempt, Problem, Split
from tutelage.testing.embedder import HashEmbedder

COUNTER = itertools.count()


def error(question: str, cycle: int = 1) -> tuple[Problem, Attempt, str]:
    problem = Problem(id=f"p{next(COUNTER)}", question=question, answer="25")
    attempt = Attempt(
        id="a",
        problem_id=problem.id,
        split=Split.TRAIN,
        cycle=cycle,
        student="base",
        text="35",
        answer="35",
        score=0,
        correct=False,
        logprob=0,
        tokens=1,
        finish_reason="stop",
    )
    return problem, attempt, "borrow"


def fix(memory: ErrorMemory, one: str, fixed: bool = True) -> None:
    memory.record_outcome(one, rationale_id="r", taught="t", fixed=fixed, cycle=1)


def test_what_never_helped_and_is_told_twice_goes_first(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=100) as memory:
        names = ["spell cat", "What is 51 minus 26?", "spell dog", "What is 7 minus 2?", "sort 5 2", "sort 9 1"]
        ids = dict(zip(names, memory.record_errors([error(name) for name in names]), strict=True))
        fix(memory, ids["spell cat"])
        fix(memory, ids["sort 5 2"])  # told again by the newer `sort 9 1`
        fix(memory, ids["spell dog"], fixed=False)
        (pending,) = memory.record_errors([error("What is 8 minus 3?", cycle=2)])
        order = ["What is 51 minus 26?", "What is 7 minus 2?", "spell dog", "sort 9 1", "sort 5 2", "spell cat"]
        for kept in range(7):
            assert to_evict(memory.journal, kept) == [*(ids[name] for name in order), pending][: 7 - kept]
        assert to_evict(memory.journal, 7) == []


def test_errors_of_the_latest_cycle_have_their_chance(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=3) as memory:
        for one in memory.record_errors([error(f"spell {word}") for word in ("cat", "dog", "cow")]):
            fix(memory, one)
        new = memory.record_errors([error(f"sort {word}", cycle=2) for word in ("a", "b")])
        assert set(new) < set(memory.journal.errors) and len(memory.journal.errors) == 3


def test_a_full_memory_makes_some_room_at_once(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=100) as memory:
        memory.record_errors([error(f"spell {n}") for n in range(101)])
        assert len(memory.journal.errors) == 100 - 100 // SLACK


def test_the_journal_tells_of_evictions_and_indexes_follow_it(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=30) as memory:
        for start in range(0, 60, 10):
            memory.record_errors([error(f"spell {chr(97 + n % 26)}{n}") for n in range(start, start + 10)])
            memory.recall(error("spell a0")[0], None, None, 3)  # the indexes follow step by step
        left, problem = list(memory.journal.errors), error("spell k36")[0]
        found = memory.recall(problem, None, "borrow", 5)
        assert {one.id for one in found} <= set(left) and len(found) == 5
        assert memory.index.rebuilds == 0
    rows = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert sum(row["kind"] == "error" for row in rows) == 60, "nothing is taken out of the journal"
    assert sum(len(row["error_ids"]) for row in rows if row["kind"] == "eviction") == 60 - len(left)
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder, capacity=30) as memory:
        assert list(memory.journal.errors) == left
        assert memory.recall(problem, None, "borrow", 5) == found
        assert (memory.index.rebuilds, embedder.calls) == (0, [1])
    for path in sorted((tmp_path / "index").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder, capacity=30) as memory:
        assert memory.recall(problem, None, "borrow", 5) == found
        assert sum(embedder.calls) == len(left) + 1, "what was evicted is not embedded again"


def test_a_crash_before_the_index_followed_costs_no_rebuild(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=20) as memory:
        memory.record_errors([error(f"spell {n}") for n in range(20)])
        memory.sync()
        memory.record_errors([error(f"spell {n}") for n in range(20, 30)])  # evicts; as if killed here
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=20) as memory:
        memory.sync()
        assert memory.index.rebuilds == 0
        assert memory.index._held == set(memory.journal.errors)


def test_what_was_evicted_stays_away(tmp_path: Path) -> None:
    old = error("spell cat")
    with ErrorMemory(tmp_path, HashEmbedder(), capacity=1) as memory:
        (first,) = memory.record_errors([old])
        memory.record_errors([error("spell dog", cycle=2)])
        before = memory.journal.path.read_bytes()
        assert memory.record_errors([old]) == [first] and first not in memory.journal.errors
        assert memory.journal.path.read_bytes() == before, "a resumed cycle writes nothing twice"
        with pytest.raises(ValueError, match="no error"):
            fix(memory, first)


def test_an_eviction_that_cannot_be_written_did_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = ErrorJournal(tmp_path / "errors.jsonl")
    problem, attempt, _ = error("spell cat")
    one = _entry(problem, attempt, None, "")
    journal.append([one])
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(RunError, match="cannot be written"):
        journal.evict([one.id])
    assert list(journal.errors) == [one.id] == list(ErrorJournal(journal.path).errors)
