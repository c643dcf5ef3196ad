"""Tests reach nothing but this machine, and write nothing but below their own folder."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(
    HF_HUB_OFFLINE="1", ANONYMIZED_TELEMETRY="False", TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1"
)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as many processes as cores: more threads wait for each other

import hypothesis
import pytest
from pytest_socket import socket_allow_hosts

from tutelage import cli
from tutelage.rundir import RunDir
from tutelage.tiny import build_tiny_student

# How long an example takes says something of the machine; what must be quick is timed where it matters.
hypothesis.settings.register_profile("tutelage", deadline=None)
hypothesis.settings.load_profile("tutelage")


DESK = {"width": 1280, "height": 900}

LONG = {
    *(
        "broken_teachers",
        "callbacks",
        "examples",
        "faults",
        "kill",
        "loop",
        "policies",
        "purifier_call",
        "untagged_loop",
    ),
    *("mlflow_export", "mlflow_tracking", "review_cli", "review_kill", "review_replay", "studio", "studio_runs"),
    *("training_distill", "training_dpo", "training_drift", "training_failures", "training_gold", "training_grpo"),
    *("training_guided", "training_layers", "training_memory", "training_processes", "training_reporting"),
    *("training_sdft", "training_skill_vector", "training_worker"),
}
"""Files of tests that run whole loops, kill processes or train in earnest: `make test-long` runs them, and CI does."""


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the files that take long."""
    for item in items:
        if item.path.stem.removeprefix("test_") in LONG:
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def loopback_only() -> None:
    """Refuse every connection that leaves this machine."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[Path]:
    """Work in an empty folder."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach, too: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """What takes the right to write in a folder away for a while; root, who needs none, is another user meanwhile."""

    @contextmanager
    def without_rights(folder: Path) -> Iterator[None]:
        some = [folder, *folder.rglob("*")]
        modes = [path.stat().st_mode for path in some]
        me = os.geteuid()
        for path in some:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            if me == 0:
                os.seteuid(65534)
            yield
        finally:
            os.seteuid(me)
            for path, mode in zip(some, modes, strict=True):
                path.chmod(mode)

    return without_rights


@pytest.fixture
def two_processes() -> tuple[str, ...]:
    """Arguments of `accelerate launch` for two processes; without a GPU they train on the CPU, over gloo.

    (`--cpu` starts a single process, whatever `--num_processes` says, unless there is MPI.)
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    named = {"num_processes": "2", "num_machines": "1", "mixed_precision": "no", "dynamo_backend": "no"}
    given = [word for name, value in {**named, "main_process_port": port}.items() for word in (f"--{name}", value)]
    return ("--multi_gpu", *given)


@pytest.fixture(scope="session")
def write_large_run() -> Callable[..., RunDir]:
    """What writes a run of any size that nobody ran."""
    root = Path(__file__).parent.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "bench"))
        write: Callable[..., RunDir] = runpy.run_path(str(root / "bench/large_run.py"))["write_large_run"]
    return write


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny student's files, untaught; shared, so not to be changed."""
    return build_tiny_student(tmp_path_factory.mktemp("tiny"), pretrained=False)


@pytest.fixture
def tutelage_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command line: arguments in, exit code, stdout and stderr out."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tutelage", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


INSPECT = Path(__file__).parent.parent / ".venv-inspect" / "bin" / "python"
"""inspect_ai cannot lie beside the pinned versions: it needs an older fsspec and, through botocore, python-dateutil."""

READER = """
import json, sys
from inspect_ai.log import list_eval_logs, read_eval_log
logs = [read_eval_log(info) for info in list_eval_logs(sys.argv[1], descending=False)]
json.dump([json.loads(log.model_dump_json()) for log in logs], sys.stdout)
"""


@pytest.fixture(scope="session")
def read_by_inspect() -> Callable[[Path, Path], list[dict[str, Any]]]:
    """Export a run into a folder, and return the logs there as inspect_ai's own reader finds them."""
    if not INSPECT.exists():
        pytest.skip("inspect_ai needs an older fsspec than what is pinned; `make test-inspect` gives it a place")

    def exported(run_dir: Path, out: Path) -> list[dict[str, Any]]:
        done = subprocess.run([INSPECT, "-m", "tutelage", "export", "inspect", run_dir, "-o", out], capture_output=True)
        assert done.returncode == 0, done.stderr
        assert f"open them with `inspect view --log-dir {out}`" in done.stdout.decode()
        read = subprocess.run([INSPECT, "-c", READER, out], capture_output=True, check=True)
        found: list[dict[str, Any]] = json.loads(read.stdout)
        return found

    return exported


class Opened:
    """A page in a browser, with what it said and asked for."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **context: Any) -> None:
        self.page = browser.new_context(offline=True, **{"viewport": DESK, **context}).new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{path.as_uri()}{fragment}")
        self.page.locator(".chart").last.locator(".point").first.wait_for(state="attached", timeout=60_000)

    def grave(self) -> list[tuple[str, str]]:
        """Return what axe-core finds that is serious or worse."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [(one["id"], one["nodes"][0]["target"]) for one in found if one["impact"] in ("serious", "critical")]

    def ids(self) -> list[str]:
        return [str(one.get_attribute("data-problem")) for one in self.page.locator("#list .link").all()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return Chromium, which comes with the system; while it is open, tests in this process have an event loop."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium on the path; on Debian: apt install chromium"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Callable[..., Opened]:
    """Return what opens a page: its path, the address's fragment, and how the browser is set."""
    return partial(Opened, browser)
