"""Looking into a ledger leaves nothing behind and needs no right to write, and misses nothing that a run has noted."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import tutelage
from tutelage import ledgerfile
from tutelage.errors import RunFileError
from tutelage.ledger import CallLedger, Reply
from tutelage.ledgerfile import check_ledger, read_uses
from tutelage.ledgerlook import look_into
from tutelage.testing import fake_config

Cli = Callable[..., tuple[int, str, str]]
ReadOnly = Callable[[Path], AbstractContextManager[None]]


def note(ledger: CallLedger, *texts: str) -> None:
    async def invoke() -> Reply:
        return Reply(text, 10, 4, 0.5, 0.1)

    for text in texts:
        asyncio.run(ledger.call("m", [{"role": "user", "content": text}], {}, "1", invoke))


def texts(path: Path) -> list[str]:
    return [use.text for use in read_uses(path)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(open_folder: Path) -> Path:
    return open_folder / "calls.sqlite"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[CallLedger]:
    """A ledger in use: what it was told lies in the file beside it."""
    with CallLedger(tmp_path / "live" / "calls.sqlite") as made:
        note(made, "first", "second")
        yield made


def test_a_closed_ledger_is_left_as_it_was(path: Path) -> None:
    with CallLedger(path) as ledger:
        note(ledger, "first", "second")
    before = path.read_bytes()
    check_ledger(path)
    assert texts(path) == ["first", "second"]
    assert names(path.parent) == ["calls.sqlite"] and path.read_bytes() == before


def test_a_closed_ledger_is_read_where_nothing_may_be_written(path: Path, read_only: ReadOnly) -> None:
    with CallLedger(path) as ledger:
        note(ledger, "first")
    with read_only(path.parent):
        check_ledger(path)
        assert texts(path) == ["first"]


def test_a_ledger_in_use_is_read_whole(live: CallLedger, read_only: ReadOnly) -> None:
    before = names(live.path.parent)
    assert before == ["calls.sqlite", "calls.sqlite-shm", "calls.sqlite-wal"]
    assert texts(live.path) == ["first", "second"]
    note(live, "third")
    assert texts(live.path) == ["first", "second", "third"]
    assert names(live.path.parent) == before


@pytest.mark.parametrize("lost", ["", "-shm"], ids=["all files", "without -shm"])
@pytest.mark.parametrize("may_write", [True, False])
def test_a_killed_run_s_ledger_is_read_whole(
    live: CallLedger, path: Path, read_only: ReadOnly, may_write: bool, lost: str
) -> None:
    shutil.copytree(live.path.parent, path.parent, dirs_exist_ok=True)  # as `kill -9` leaves it
    assert sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True).execute("PRAGMA user_version").fetchone() == (0,)
    if lost:
        path.with_name(path.name + lost).unlink()
    before = names(path.parent)
    if may_write:
        assert texts(path) == ["first", "second"]
    else:
        with read_only(path.parent):
            assert texts(path) == ["first", "second"]
    assert names(path.parent) == before


def test_a_ledger_that_a_run_is_done_with_meanwhile_is_read_again(path: Path) -> None:
    with CallLedger(path) as ledger:
        note(ledger, "first")
    asked = []

    def ask(connection: sqlite3.Connection) -> list[str]:
        found = [text for (text,) in connection.execute("SELECT text FROM calls ORDER BY created")]
        asked.append(found)
        if len(asked) == 1:
            with CallLedger(path) as other:
                note(other, "second")
        return found

    assert look_into(path, ask) == ["first", "second"]
    assert asked == [["first"], ["first", "second"]] and names(path.parent) == ["calls.sqlite"]


def test_what_a_change_made_look_damaged_is_read_again(path: Path) -> None:
    with CallLedger(path) as ledger:
        note(ledger, "first")
    asked = []

    def ask(connection: sqlite3.Connection) -> int:
        asked.append(1)
        if len(asked) == 1:
            with CallLedger(path) as other:
                note(other, "second")
            raise sqlite3.DatabaseError("database disk image is malformed")
        return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])

    assert look_into(path, ask) == 2


def test_a_ledger_that_never_rests_is_refused(path: Path) -> None:
    with CallLedger(path) as ledger:
        note(ledger, "first")

    def ask(_: sqlite3.Connection) -> None:
        with CallLedger(path) as other:
            note(other, f"{path.stat().st_mtime_ns}")

    with pytest.raises(sqlite3.OperationalError, match="it changes all the time; try again"):
        look_into(path, ask)


def test_a_ledger_that_was_hardly_begun_is_empty_and_begun_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch()
    assert read_uses(path) == []
    monkeypatch.setattr(ledgerfile, "_BEGIN", ledgerfile._BEGIN.replace("PRAGMA", "no SQL; PRAGMA"))
    with pytest.raises(RunFileError, match="cannot be opened"):
        CallLedger(path).cost()
    monkeypatch.undo()
    assert read_uses(path) == []
    with CallLedger(path) as ledger:
        note(ledger, "first")
    assert texts(path) == ["first"]


def test_what_is_no_ledger_is_still_named(path: Path) -> None:
    path.write_bytes(b"garbage" * 999)
    with pytest.raises(RunFileError, match=r"calls\.sqlite: the call ledger cannot be read: file is not a database"):
        read_uses(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(RunFileError, match=r"calls\.sqlite: the call ledger cannot be read"):
        read_uses(path)


def test_commands_that_read_a_run_leave_nothing_in_it(
    open_folder: Path, read_only: ReadOnly, tutelage_cli: Cli
) -> None:
    run, out = open_folder / "run", open_folder / "out"
    result = tutelage.run(fake_config(stop={"cycles": 1}), run_dir=run)
    out.mkdir()
    out.chmod(0o777)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    commands = [
        ["show", run],
        ["trace", run, "--problem", result.lessons(1)[0].problem_id],
        ["report", run, "-o", out / "report.html"],
        ["export", "spans", run, "-o", out / "spans.jsonl"],
    ]
    for command in commands:
        assert tutelage_cli(*command)[0] == 0
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    for path in out.iterdir():
        path.unlink()
    with read_only(run):
        assert [(code, err) for code, _, err in (tutelage_cli(*command) for command in commands)] == [(0, "")] * 4
    assert names(out) == ["report.html", "spans.jsonl"]
