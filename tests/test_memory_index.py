"""The index is trusted only as far as it agrees with the journal."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tutelage.errors import RunError
from tutelage.memory import ErrorMemory
from tutelage.memory.connection import FolderConnection, ServerConnection
from tutelage.schema import Attempt, Problem, RecalledError, Split
from tutelage.testing.embedder import HashEmbedder

WORDS = ["apples", "pears", "trains", "minutes", "coins", "boxes", "steps", "birds", "metres", "cups"]


def question(i: int) -> str:
    return " ".join(random.Random(i).choices(WORDS, k=8)) + f" {i}"


def record(memory: ErrorMemory, start: int, stop: int) -> None:
    errors: list[tuple[Problem, Attempt, str | None]] = []
    for i in range(start, stop):
        problem = Problem(id=f"p{i}", question=question(i), answer="1")
        attempt = Attempt(
            id=f"a{i}",
            problem_id=problem.id,
            split=Split.TRAIN,
            cycle=1,
            student="base",
            text="0",
            answer="0",
            score=0,
            correct=False,
            logprob=0,
            tokens=1,
            finish_reason="stop",
        )
        errors.append((problem, attempt, None))
    memory.record_errors(errors)


def recall(memory: ErrorMemory, i: int = 7) -> tuple[RecalledError, ...]:
    return memory.recall(Problem(question=question(i), answer="1"), None, None, 5)


def make(folder: Path, n: int = 150) -> tuple[RecalledError, ...]:
    with ErrorMemory(folder, HashEmbedder()) as memory:
        record(memory, 0, n)
        return recall(memory)


def garble(folder: Path, name: str, data: bytes) -> None:
    for path in folder.rglob(name):
        path.write_bytes(data)


def remove_segments(index: Path) -> None:
    for path in [p for p in index.iterdir() if p.is_dir()]:
        shutil.rmtree(path)


def halve_database(index: Path) -> None:
    data = (index / "chroma.sqlite3").read_bytes()
    (index / "chroma.sqlite3").write_bytes(data[: len(data) // 2])


def a_file_instead(index: Path) -> None:
    shutil.rmtree(index)
    index.write_text("not a folder")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "missing": lambda index: shutil.rmtree(index),
    "garbled database": lambda index: garble(index, "chroma.sqlite3", b"garbage" * 999),
    "empty database": lambda index: garble(index, "chroma.sqlite3", b""),
    "half a database": halve_database,
    "missing vectors": remove_segments,
    "garbled vectors": lambda index: garble(index, "*.bin", b"xx"),
    "a file instead": a_file_instead,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_built_again(tmp_path: Path, damage: str) -> None:
    before = make(tmp_path, 1100)  # beyond 1,000 errors Chroma keeps vectors in files of their own
    DAMAGE[damage](tmp_path / "index")
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder) as memory:
        assert recall(memory) == before
    assert sum(embedder.calls) == 1101


def test_a_sound_index_is_not_built_again(tmp_path: Path) -> None:
    before = make(tmp_path)
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder) as memory:
        assert recall(memory) == before
        assert memory.index.rebuilds == 0
    assert embedder.calls == [1]


def test_an_index_behind_the_journal_is_completed(tmp_path: Path) -> None:
    make(tmp_path)
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, 150, 170)  # no recall: as if killed before the index was written
    embedder = HashEmbedder()
    with ErrorMemory(tmp_path, embedder) as memory:
        assert recall(memory, 160)[0].problem_id == "p160"
        assert memory.index.rebuilds == 0
    assert embedder.calls == [20, 1]


@pytest.mark.parametrize("change", ["shorter", "other", "reordered", "empty"])
def test_an_index_of_another_journal_is_built_again(tmp_path: Path, change: str) -> None:
    make(tmp_path, 30)
    journal = tmp_path / "errors.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    changed = {"shorter": lines[:-1], "other": [*lines[1:], lines[0].replace('"id": "', '"id": "x')]}
    changed |= {"reordered": lines[::-1], "empty": []}
    journal.write_text("".join(changed[change]))
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        memory.sync()
        assert memory.index.rebuilds == 1
        assert {one.id for one in recall(memory)} <= set(memory.journal.errors)


def test_another_embedder_builds_the_index_again(tmp_path: Path) -> None:
    make(tmp_path, 30)
    with ErrorMemory(tmp_path, HashEmbedder(size=32, name="other")) as memory:
        assert recall(memory)[0].problem_id == "p7"
        assert memory.index.rebuilds == 1


def test_vectors_of_another_size_under_the_same_name_build_it_again(tmp_path: Path) -> None:
    make(tmp_path, 30)
    with ErrorMemory(tmp_path, HashEmbedder(size=32)) as memory:
        assert recall(memory)[0].problem_id == "p7"
        assert memory.index.rebuilds == 1


def test_a_crash_between_vectors_and_metadata_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, 30)
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, 30, 40)
        memory.sync()
        facts = memory.index._facts(30, "the digest of the first 30")
        assert memory.index._collection is not None
        memory.index._collection.modify(metadata=facts)
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert recall(memory, 35)[0].problem_id == "p35"
        assert memory.index.rebuilds == 1


def test_recall_is_the_same_however_the_index_came_about(tmp_path: Path) -> None:
    with ErrorMemory(tmp_path / "grown", HashEmbedder()) as grown:
        for start in range(0, 1200, 100):
            record(grown, start, start + 100)
            recall(grown)
        answers = [recall(grown, i) for i in range(20)]
    with ErrorMemory(tmp_path / "built", HashEmbedder()) as built:
        record(built, 0, 1200)
        assert [recall(built, i) for i in range(20)] == answers
        assert [recall(built, i) for i in range(20)] == answers


def test_an_embedder_of_no_use_is_named(tmp_path: Path) -> None:
    class Broken(HashEmbedder):
        def embed(self, texts: object) -> list[list[float]]:
            return []

    with ErrorMemory(tmp_path, Broken(name="broken")) as memory:
        record(memory, 0, 2)
        with pytest.raises(RunError, match="embedder 'broken': gave 0 vectors for 2 texts"):
            recall(memory)


class Away(FolderConnection):
    """A server that is away for some requests; it keeps what it has."""

    files_are_ours = False
    is_away = ServerConnection.is_away  # type: ignore[assignment]
    left = 0

    def connect(self) -> Any:
        collection = super().connect()

        class Asked:
            def __getattr__(asked, name: str) -> Any:
                if self.left and name in ("get", "query", "upsert", "modify"):
                    self.left -= 1
                    try:
                        raise httpx.ReadTimeout("timed out")
                    except httpx.ReadTimeout:
                        raise ValueError("Could not connect to a Chroma server") from None
                return getattr(collection, name)

        return Asked()


def test_a_server_that_is_away_for_a_while_is_no_damaged_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.memory.index.PAUSE", 0)
    embedder, server = HashEmbedder(), Away(tmp_path / "there")
    with ErrorMemory(tmp_path, embedder, connection=server) as memory:
        record(memory, 0, 20)
        before = recall(memory)
        server.left = 1
        record(memory, 20, 30)
        assert recall(memory)
        server.left = 2
        record(memory, 30, 31)
        with pytest.raises(RunError, match=r"does not answer \(ValueError: Could not connect.*then resume$"):
            recall(memory)
        assert server.left == 0 and recall(memory)
    with ErrorMemory(tmp_path, embedder, connection=Away(tmp_path / "there")) as memory:
        assert recall(memory)[0].id == before[0].id
        assert memory.index.rebuilds == 0
    assert sum(size for size in embedder.calls if size > 1) == 30, "nothing was embedded again"


@pytest.mark.parametrize("leaks", [True, False])
def test_graph_files_into_which_a_key_has_strayed_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaks: bool
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-of-somebody")
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        record(memory, 0, 150)
        before = recall(memory)
        graphs = list((tmp_path / "index").rglob("data_level0.bin"))
        assert graphs
        if leaks:
            (graphs[0].parent / "more.bin").write_bytes(b"\0\0sk-of-somebody\0")
    assert (tmp_path / "index").exists() is not leaks
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert recall(memory) == before


@pytest.mark.parametrize("changed", ["index.DESCRIPTION", "index.HNSW"])
def test_an_index_that_was_made_in_another_way_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    make(tmp_path, 30)
    monkeypatch.setattr(f"tutelage.memory.{changed}", {"max_neighbors": 3})
    with ErrorMemory(tmp_path, HashEmbedder()) as memory:
        assert recall(memory)[0].problem_id == "p7"
        assert memory.index.rebuilds == 1
