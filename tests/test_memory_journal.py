"""The journal: torn lines are mended, corrupt ones named, failed writes undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import RunError
from tutelage.memory import ErrorEntry, ErrorJournal, OutcomeEntry
from tutelage.schema import Split


def error(name: str, attempt: str = "é wrong\n") -> ErrorEntry:
    return ErrorEntry(
        id=name,
        cycle=1,
        split=Split.PROBE,
        student="base",
        problem_id=f"p-{name}",
        question="q",
        answer="1",
        attempt_id=f"a-{name}",
        attempt=attempt,
    )


def outcome(name: str) -> OutcomeEntry:
    return OutcomeEntry(error_id=name, rationale_id="r", taught="t", fixed=True, cycle=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "errors.jsonl"
    ErrorJournal(path).append([error("e1"), outcome("e1"), error("e2")])
    return path


def test_what_is_written_is_read_back(path: Path) -> None:
    journal = ErrorJournal(path)
    assert list(journal.errors.values()) == [error("e1"), error("e2")]
    assert journal.outcomes("e1") == (outcome("e1"),)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["schema"], row["kind"]) for row in rows] == [(1, "error"), (1, "outcome"), (1, "error")]


def test_every_tear_of_the_last_line_is_mended(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    last = len(whole.rstrip(b"\n").rpartition(b"\n")[0]) + 1
    torn = tmp_path / "torn.jsonl"
    for cut in range(last, len(whole) + 1):
        torn.write_bytes(whole[:cut])
        kept = ["e1", "e2"] if cut >= len(whole) - 1 else ["e1"]
        assert list(ErrorJournal(torn).errors) == kept
        journal = ErrorJournal(torn)
        journal.append([error("e2"), error("e3")])
        assert list(ErrorJournal(torn).errors) == ["e1", "e2", "e3"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"schema":1,"kind":"err', "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"schema":1,"kind":"error","id":"x"}', "error.cycle: Field required"),
        (
            '{"schema":2,"kind":"outcome","error_id":"x","rationale_id":null,"taught":"","fixed":true,"cycle":1}',
            "schema",
        ),
    ],
)
def test_a_corrupt_line_in_the_middle_is_named(path: Path, line: str, told: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    lines.insert(1, line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        ErrorJournal(path)
    assert f"{path}:2: " in str(caught.value) and told in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(junk=st.binary(max_size=200))
def test_bytes_of_any_kind_are_either_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("junk") / "errors.jsonl"
    path.write_bytes(junk)
    try:
        journal = ErrorJournal(path)
    except RunError as refused:
        assert str(refused).startswith(f"{path}:") and "\n" not in str(refused)
    else:
        assert journal.errors == {} and b"\n" not in junk


def test_a_failed_write_leaves_no_trace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, before = ErrorJournal(path), path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tutelage.memory.journal.os.fsync", full)
    with pytest.raises(RunError, match=r"errors\.jsonl: cannot be written: No space left"):
        journal.append([error("e3"), OutcomeEntry(error_id="e2", rationale_id=None, taught="", fixed=False, cycle=2)])
    assert path.read_bytes() == before
    assert "e3" not in journal.errors and journal.outcomes("e2") == ()
    monkeypatch.undo()
    assert journal.append([error("e3")]) == 1
    assert list(ErrorJournal(path).errors) == ["e1", "e2", "e3"]
