"""No secret is ever written, whoever repeats it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import tutelage
from tutelage.errors import RunError, flat, one_line
from tutelage.rundir import RunDir
from tutelage.secret import read_secret, without_secrets
from tutelage.testing import FakeTeacher, fake_config
from tutelage.testing.chat_server import ChatServer, Sent

KEY = "sk-" + "very0secret" * 4


class Repeating(ChatServer):
    """Refuses every key, and repeats it, as some providers do."""

    def serve(self, headers: dict[str, str], body: dict[str, Any]) -> Sent:
        told = f"Incorrect API key provided: {headers['authorization']}"
        return Sent(401, json.dumps({"error": {"message": told, "type": "auth"}}).encode(), {})


class Telling(FakeTeacher):
    """Raises what holds a secret, by way of another exception."""

    def teach(self, request: Any) -> str:
        try:
            raise OSError(f"401 for {KEY}")
        except OSError as error:
            raise ValueError(f"no luck with {KEY}") from error


def require_black(path: Path, failure: str) -> None:
    assert KEY not in failure
    assert "***" in RunDir(path).events.read_text(), "the reason is told all the same"
    for file in path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_a_key_that_the_server_repeats_is_nowhere_in_the_run_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_CREDENTIAL", KEY)
    with Repeating() as server:
        options = {"model": "fake", "base_url": server.base_url, "api_key_env": "MY_CREDENTIAL", "retries": 0}
        with pytest.raises(RunError, match="Incorrect API key provided") as caught:
            tutelage.run(fake_config(teachers=[{"name": "chat", "options": options}]), run_dir=tmp_path / "run")
    require_black(tmp_path / "run", str(caught.value))
    assert "Incorrect API key provided: Bearer ***" in (tmp_path / "run" / "error.log").read_text()


def test_a_plug_in_s_secret_is_nowhere_in_the_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", KEY)
    with pytest.raises(RunError, match=r"no luck with \*\*\*") as caught:
        tutelage.run(fake_config(), teachers=[Telling()], run_dir=tmp_path / "run")
    require_black(tmp_path / "run", str(caught.value))
    assert "OSError: 401 for ***" in (tmp_path / "run" / "error.log").read_text()


def test_a_planner_s_secret_is_nowhere_in_the_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Planner:
        def plan(self, request: Any) -> Any:
            raise LookupError(f"cannot plan with {KEY}")

    monkeypatch.setenv("SOME_SECRET", KEY)
    with pytest.raises(RunError, match=r"cannot plan with \*\*\*") as caught:
        tutelage.run(fake_config(), planner=Planner(), run_dir=tmp_path / "run")
    require_black(tmp_path / "run", str(caught.value))


def test_secrets_are_told_by_name_and_by_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"A_KEY": "abcdefgh", "B_KEY": "abcdefghij\n", "C_TOKEN": "short", "ODD": "xyz"}.items():
        monkeypatch.setenv(name, value)
    text = "abcdefghij abcdefgh short xyz"
    assert without_secrets(text) == "*** *** short xyz"
    assert read_secret("ODD") == "xyz"
    assert without_secrets(text) == "*** *** short ***"
    assert read_secret("NOT_SET") == ""


@pytest.mark.parametrize("say", [flat, one_line, lambda error: flat(error, bare=True)])
def test_a_key_is_blacked_out_before_a_message_is_cut(say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    for error in (ValueError("x" * 270 + KEY), ValueError(2, "x" * 260 + KEY)):
        assert "very0secret" not in say(error) and "***" in say(error)


FORMS = ('a/b+c"d', r"a\/b+c\"d", r"a/b+c\"d", "a%2Fb%2Bc%22d", "k\\e\ty..", r"k\\e\ty..", "k%5Ce%09y..")


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_the_forms_that_a_provider_may_repeat_it_in(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", 'a/b+c"d')
    monkeypatch.setenv("OTHER_KEY", "k\\e\ty..")
    assert without_secrets(f"refused: {form}!") == "refused: ***!"


def test_a_variable_that_is_no_text_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOO_TOKEN", os.fsdecode(b"\xff\xfeabcdef"))
    assert without_secrets("busy") == "busy"
