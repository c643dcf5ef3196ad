"""A Chroma server for the vectors: refused in one line where it cannot work, as good as the folder where it does."""

from __future__ import annotations

import random
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from unittest.mock import MagicMock

import httpx
import pytest
import yaml

from tutelage.errors import InputError, RunError
from tutelage.memory import ErrorMemory
from tutelage.memory.connection import ServerConnection, check_server, require_url
from tutelage.rundir import RunDir
from tutelage.schema import Attempt, Problem, Split
from tutelage.testing import fake_config
from tutelage.testing.embedder import HashEmbedder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def record(memory: ErrorMemory, start: int, stop: int) -> None:
    for n in range(start, stop):
        problem = Problem(id=f"p{n}", question=" ".join(random.Random(n).choices(WORDS, k=8)), answer="x")
        attempt = Attempt(
            id=f"a{n}",
            problem_id=problem.id,
            split=Split.TRAIN,
            cycle=1,
            student="base",
            text="y",
            answer="y",
            score=0,
            correct=False,
            logprob=0,
            tokens=1,
            finish_reason="stop",
        )
        memory.record_error(problem, attempt)


WORDS = [
    f"{a}{b}" for a in ("sun", "moon", "star", "sea", "land", "wind") for b in ("rise", "fall", "light", "side", "ward")
]
ASKED = Problem(question=" ".join(random.Random(7).choices(WORDS, k=8)), answer="x")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://me:secret@localhost:8000", "holds a name or secret"),
        ("http://localhost:8000/?token=secret", "holds a name or secret"),
        ("localhost:8000", "is no address; give http://host:port"),
        ("http://localhost:port", "is no address"),
        ("ftp://localhost", "is no address"),
        ("http://localhost:8000/api/v2", "is no address"),
    ],
)
def test_an_address_that_cannot_work_is_refused_without_its_secret(url: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        require_url(url)
    assert "secret@" not in str(caught.value) and "token=secret" not in str(caught.value)
    assert require_url("http://localhost:8000/") == "http://localhost:8000"


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("http://host", "http://host:8000"),
        ("http://host:/", "http://host:8000"),
        ("https://host", "https://host:443"),
        ("http://[::1]", "http://[::1]:8000"),
        ("https://host:9", "https://host:9"),
    ],
)
def test_an_address_without_a_port_is_the_same_server_everywhere(
    url: str, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get(_: httpx.Client, address: str) -> httpx.Response:
        asked.append(address)
        return httpx.Response(200, json={"nanosecond heartbeat": 1})

    monkeypatch.setattr(httpx.Client, "get", get)
    check_server(url, None)
    made: dict[str, object] = {}
    monkeypatch.setattr("chromadb.HttpClient", lambda **given: (made.update(given), MagicMock())[1])
    ServerConnection(url, tmp_path)._open()
    host = f"[{made['host']}]" if ":" in str(made["host"]) else made["host"]
    assert f"{'https' if made['ssl'] else 'http'}://{host}:{made['port']}" == used
    assert asked == [f"{used}/api/v2/heartbeat"]


def test_a_dead_server_is_one_line_before_the_run(tmp_path: Path, tutelage_cli: object) -> None:
    memory = {"embedder": "tutelage.testing:HashEmbedder", "server": f"http://127.0.0.1:{free_port()}"}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(fake_config(memory=memory)))
    code, _, told = tutelage_cli("run", config, "--run-dir", tmp_path / "run")  # type: ignore[operator]
    assert code == 2 and not (tmp_path / "run").exists()
    assert "memory.server: http://127.0.0.1" in told and "does not answer" in told and told.count("\n") == 1


def test_a_missing_token_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMA_TOKEN", raising=False)
    with pytest.raises(InputError, match="environment variable CHROMA_TOKEN is not set"):
        check_server("http://localhost:1", "CHROMA_TOKEN")
    with pytest.raises(InputError, match="CHROMA_TOKEN"):
        ServerConnection("http://localhost:1", tmp_path, "CHROMA_TOKEN")


class Other(BaseHTTPRequestHandler):
    """A server that is no Chroma, and notes the token."""

    tokens: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers["x-chroma-token"])
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_another_server_is_told_apart_and_gets_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.handle_request, daemon=True).start()
    monkeypatch.setenv("CHROMA_TOKEN", "hush")
    with pytest.raises(InputError, match="answers HTTP 403, not as a Chroma server") as caught:
        check_server(f"http://127.0.0.1:{server.server_port}", "CHROMA_TOKEN")
    server.server_close()
    assert Other.tokens == ["hush"] and "hush" not in str(caught.value)


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[str]:
    """A real Chroma server; yields its address."""
    port = free_port()
    program = Path(sysconfig.get_path("scripts")) / "chroma"
    if not program.exists():
        program = Path(_chroma_scripts()) / "chroma"
    command = [str(program), "run", "--path", str(tmp_path / "chroma"), "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "chroma.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            check_server(url, None)
            break
        except InputError:
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "chroma.log").read_text()
            time.sleep(0.2)
    yield url
    process.kill()
    process.wait()


def _chroma_scripts() -> Path:
    """Return the scripts of the environment that Chroma is installed in, if that is another one."""
    import chromadb

    return Path(chromadb.__file__).parents[4] / "bin"


@pytest.mark.slow
def test_a_real_server_recalls_what_the_folder_does(tmp_path: Path, chroma: str) -> None:
    with ErrorMemory(tmp_path / "local", HashEmbedder(256)) as local:
        record(local, 0, 700)  # more than one batch
        expected = local.recall(ASKED, None, None, 5)
        assert expected[0].problem_id == "p7"
    there = tmp_path / "there"
    with ErrorMemory(there, HashEmbedder(256), connection=ServerConnection(chroma, there)) as memory:
        record(memory, 0, 700)
        assert memory.recall(ASKED, None, None, 5) == expected
        assert memory.index.rebuilds == 0 and not (there / "index").exists()
    embedder = HashEmbedder(256)
    with ErrorMemory(there, embedder, connection=ServerConnection(chroma, there)) as memory:
        assert memory.recall(ASKED, None, None, 5) == expected
        assert embedder.calls == [1], "the server has kept the vectors"
    elsewhere = ServerConnection(chroma, there)
    elsewhere.connect().delete(ids=["no such id", *list(memory.journal.errors)[:9]])
    with ErrorMemory(there, HashEmbedder(256), connection=ServerConnection(chroma, there)) as memory:
        assert memory.recall(ASKED, None, None, 5) == expected
        assert memory.index.rebuilds == 1, "what disagrees with the journal is built again"
    assert ServerConnection(chroma, there).collection != ServerConnection(chroma, tmp_path / "local").collection


@pytest.mark.slow
def test_a_server_that_went_away_is_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with ErrorMemory(tmp_path, HashEmbedder(256), connection=ServerConnection(url, tmp_path)) as memory:
        record(memory, 0, 3)
        with pytest.raises(RunError) as caught:
            memory.recall(ASKED, None, None, 1)
    assert url in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_run_keeps_its_vectors_on_the_server(tmp_path: Path, chroma: str) -> None:
    import tutelage

    memory = {"embedder": "tutelage.testing:HashEmbedder", "server": chroma}
    result = tutelage.run(fake_config(memory=memory), run_dir=tmp_path / "run")
    assert not (result.path / "memory" / "index").exists()
    plain = tutelage.run(fake_config(), run_dir=tmp_path / "plain")
    one, other = (
        {r.problem_id: r.conditioned_on.get("recalled") for r in RunDir(path).rationales(2)}
        for path in (result.path, plain.path)
    )
    assert one == other and any(one.values())
