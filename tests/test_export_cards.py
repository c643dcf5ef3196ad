"""Foreign names and texts in a card stay text: read back with a Markdown parser and a YAML parser."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tutelage.errors import InputError
from tutelage.export.folder import new_folder
from tutelage.export.markdown import fenced, inline, line, table

HOSTILE = (
    "| a | b |\n---\n# x <script>alert(1)</script> [l](http://e.x) ![i](u) `c` **b** $m$ \x1b[2J\\| &lt; www.e.x _i_"
)


def parsed(text: str) -> list[Token]:
    return MarkdownIt("gfm-like", {"linkify": False}).enable("table").parse(text)


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in [token, *(token.children or [])]]


@pytest.mark.parametrize(
    "text", [HOSTILE, "a|b", "\\|", "``", "1. x", "_a_", "a__b__c", "x\n\ny", "\x85\u2028z", "~~s~~"]
)
def test_a_hostile_name_is_shown_as_it_is(text: str) -> None:
    tokens = flat(parsed(f"Taught by {inline(text)}."))
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "text", "paragraph_close"]
    assert tokens[2].content == f"Taught by {line(text)}."


@given(st.text(max_size=80))
def test_any_name_is_one_cell(text: str) -> None:
    tokens = flat(parsed(table(["name", "n"], [(text, 1), ("b", 2)])))
    cells = [t.children for t in tokens if t.type == "inline"]
    assert len(cells) == 6
    assert "".join(c.content for c in cells[2] or []) == line(text).strip()
    assert {c.type for cell in cells for c in cell or []} <= {"text"}


def test_a_text_of_a_megabyte_is_cut_and_figures_stay_readable() -> None:
    assert len(line("x y" * 400_000)) == 200
    assert inline("0.72 of reasoning_gym (a/b)") == "0.72 of reasoning_gym (a/b)"


def test_a_fence_cannot_be_closed_from_inside() -> None:
    text = "a\n````\n# x\n```"
    (token,) = parsed(fenced(text, "yaml"))
    assert (token.type, token.content, token.info) == ("fence", text + "\n", "yaml")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"), new_folder(tmp_path / "out") as made:
        (made / "a").write_text("a")
        raise ValueError("half")
    assert list(tmp_path.iterdir()) == []
    with new_folder(tmp_path / "out") as made:
        (made / "a").write_text("a")
        assert not (tmp_path / "out").exists()
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == ["out", "out/a"]
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path / "out"):
        pass
