"""A seam is filled by an object, by `module:attribute` or by an entry point; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.errors import InputError
from tutelage.plugins import SEAMS, Plugin, build, check, installed
from tutelage.testing import FakeTeacher, HashEmbedder


def test_every_seam_has_a_built_in_but_that_of_those_who_only_watch() -> None:
    assert {row.seam for row in installed()} == set(SEAMS) - {"callbacks"}


@pytest.mark.parametrize("row", installed(), ids=lambda row: f"{row.seam}-{row.name}")
def test_every_installed_plugin_imports(row: tuple[str, str, str, str]) -> None:
    from tutelage.plugins import resolve

    assert callable(resolve(row[0], row[1]))


def test_a_name_and_a_path_make_the_same_thing() -> None:
    by_name = build("teachers", Plugin(name="textbook"))
    by_path = build("teachers", Plugin(name="tutelage.agents.teachers.textbook:TextbookTeacher"))
    assert type(by_name) is type(by_path)


def test_what_the_run_offers_reaches_those_who_ask() -> None:
    assert build("teachers", Plugin(name="textbook"), seed=7, ledger=None).seed == 7


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"name": "textbok"}, "did you mean 'textbook'?"),
        ({"name": "textbook", "options": {"grian": "fine"}}, "unknown option 'grian'; did you mean 'grain'?"),
        ({"name": "textbook", "options": {"grain": "coarse"}}, "textbook: grain: "),
        ({"name": "textbook", "options": {"careless": "often"}}, "textbook: careless: "),
        ({"name": "no_such_module:Thing"}, "cannot be imported"),
        ({"name": "tutelage.testing:Nothing"}, "cannot be imported"),
        ({"name": "tutelage.testing:HashEmbedder"}, "lacks"),
    ],
)
def test_what_does_not_fit_is_refused(spec: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        build("teachers", Plugin.model_validate(spec))
    assert told in str(caught.value)


def test_an_object_is_checked_too() -> None:
    teacher = FakeTeacher()
    assert check("teachers", teacher) is teacher
    with pytest.raises(InputError, match="HashEmbedder"):
        check("teachers", HashEmbedder())


def test_a_dataclass_of_one_s_own_may_build_on_a_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_teacher.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from tutelage.agents.teachers.chat import ChatTeacher\n"
        "@dataclass(frozen=True, eq=False, kw_only=True)\n"
        "class Mine(ChatTeacher):\n    tone: str = 'kind'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    options = {"model": "fake", "base_url": "http://localhost:1/v1", "tone": "dry", "retries": 2}
    made = build("teachers", Plugin.model_validate({"name": "my_teacher:Mine", "options": options}))
    assert (made.tone, made.retries, made.structured) == ("dry", 2, "auto")
    with pytest.raises(InputError, match="retries"):
        build("teachers", Plugin.model_validate({"name": "my_teacher:Mine", "options": {**options, "retries": -1}}))
