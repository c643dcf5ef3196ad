"""Rows on disk: those that are asked for are read, a torn last one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage import jsonl
from tutelage.errors import RunError


def test_rows_that_mention_a_text_as_a_value(tmp_path: Path) -> None:
    rows = [{"id": 'a"b', "of": "x"}, {"id": "é", "of": "xy"}, {"id": "c", "of": "x"}]
    jsonl.append(tmp_path / "rows.jsonl", rows)
    for mentioned, found in (("x", [rows[0], rows[2]]), ('a"b', [rows[0]]), ("é", [rows[1]]), ("y", [])):
        assert list(jsonl.read(tmp_path / "rows.jsonl", mentioned)) == found
    (tmp_path / "rows.jsonl").write_text('{"id": "\\u00e9"}\n')  # as other tools write it
    assert list(jsonl.read(tmp_path / "rows.jsonl", "é")) == [{"id": "é"}]


def test_a_torn_last_row_is_passed_over_and_an_earlier_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": ')
    assert [row["a"] for row in jsonl.read(path)] == [1, 2]
    path.write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    with pytest.raises(RunError, match=r"rows\.jsonl:2: not JSON"):
        list(jsonl.read(path))


@pytest.mark.parametrize("long", [1, 70_000, 300_000])
def test_the_last_whole_row_is_found_from_the_end(tmp_path: Path, long: int) -> None:
    path = tmp_path / "rows.jsonl"
    assert jsonl.last(path) is None
    path.write_text("")
    assert jsonl.last(path) is None
    path.write_text('{"torn": ')
    assert jsonl.last(path) is None
    path.unlink()
    jsonl.append(path, [{"a": "é" * long}])
    assert jsonl.last(path) == {"a": "é" * long}
    jsonl.append(path, [{"a": n, "b": "é" * long} for n in range(3)])
    with path.open("ab") as file:
        file.write(b'{"a": 3, "b": "\xc3')
    assert jsonl.last(path)["a"] == 2
    path.write_text('{"a": 1}\n{"a"\n')
    with pytest.raises(RunError, match="its last line is not JSON"):
        jsonl.last(path)
