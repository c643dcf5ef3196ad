"""What a purifier needs is found before a run: likelihoods from the engine, a way to keep what it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage import InputError
from tutelage.configfile import parse_config
from tutelage.graphs.preflight import examine_config
from tutelage.rundir import RunDir
from tutelage.testing import FakeEngine, FakeTeacher, fake_config
from tutelage.testing.parity import Parity

PERSONALISED = {"name": "personalised", "options": {"encoder": "tutelage.testing:HashEmbedder"}}
TOLD = r"^purifier: {}: goes by .* engine \(Mute\) cannot tell; .*student\.engine"


class Mute(FakeEngine):
    """Cannot tell how likely a text is."""

    likelihoods = property()  # type: ignore[assignment]


class Needy:
    """A plug-in that cannot do without likelihoods."""

    needs_likelihoods = True

    def purify(self, problem: Any, rationales: Any) -> Any:
        return rationales[0]


def run(path: Path, purifier: Any, engine: FakeEngine | None = None) -> RunDir:
    """Run one cycle; a purifier is a part of the configuration or an object."""
    given = purifier if isinstance(purifier, Needy) else None
    named = {} if given else {"purifier": purifier}
    config = {**fake_config(stop={"cycles": 1}), **named}
    teachers = [FakeTeacher("a"), FakeTeacher("b")]
    return RunDir(tutelage.run(config, teachers=teachers, purifier=given, engine=engine, run_dir=path).path)


@pytest.mark.parametrize(
    ("purifier", "name"),
    [(PERSONALISED, "personalised"), ({**PERSONALISED, "name": "reinforce"}, "reinforce"), (Needy(), "Needy")],
)
def test_what_it_goes_by_must_be_had_before_a_file_is_written(tmp_path: Path, purifier: Any, name: str) -> None:
    with pytest.raises(InputError, match=TOLD.format(name)):
        run(tmp_path / "run", purifier, Mute())
    assert not (tmp_path / "run").exists()
    assert run(tmp_path / "run", purifier).lessons(1)


def test_doctor_finds_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def problem() -> str | None:
        checks = examine_config(parse_config({**fake_config(), "purifier": PERSONALISED})).checks
        (found,) = [check.problem for check in checks if check.name == "purifier fits the engine"]
        return found

    assert problem() is None
    monkeypatch.delattr(FakeEngine, "likelihoods")
    assert "personalised: goes by" in str(problem())


@pytest.mark.parametrize("purifier", ["consensus", {**PERSONALISED, "name": "similarity"}])
def test_who_only_prefers_by_them_does_without(tmp_path: Path, purifier: Any) -> None:
    assert {lesson.origin for lesson in run(tmp_path / "run", purifier, Mute()).lessons(1)} == {"a"}


@pytest.mark.parametrize("lacks", ["save", "load"])
def test_one_that_learns_must_be_able_to_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    monkeypatch.delattr(Parity, lacks)
    with pytest.raises(InputError, match=f"^purifier: Parity: has fit, but no {lacks}; write it as"):
        tutelage.run(fake_config(), purifier=Parity(), run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
