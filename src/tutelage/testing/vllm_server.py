"""vLLM on this machine's CPU, serving a student's weights as a chat model: for tests, examples and benches.

vLLM lives in an environment of its own (`make install-vllm`): it wants older libraries than training does.
Standalone: `python -m tutelage.testing.vllm_server --port 8000` serves SmolLM2-135M-Instruct until ended.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

import httpx

from ..agents.resolve import WHEEL_STUDENT, cache_folder, resolve_student
from ..errors import InputError, RunError

PYTHON = Path(".venv-vllm") / "bin" / "python"
"""Where `make install-vllm` puts vLLM."""
SERVED = "smollm2"
START_SECONDS = 300.0
"""How long a server may take until it answers; about half a minute on two quiet cores."""
STOP_SECONDS = 10.0
LOG_TAIL = 3000
"""Characters of the log that are shown when the server fails."""


class VLLMServer:
    """vLLM with one model on the loopback interface; a context manager that leaves no process behind.

    Attributes:
        base_url: What a client is given, such as `http://127.0.0.1:41231/v1`.
    """

    def __init__(
        self,
        log: Path,
        *,
        python: Path = PYTHON,
        model: str = WHEEL_STUDENT,
        served: str = SERVED,
        port: int = 0,
        max_model_len: int = 2048,
        cache_gib: int = 1,
        max_num_seqs: int = 16,
    ) -> None:
        """Say what is served; nothing is started yet.

        Args:
            log: File for what the server prints.
            python: The Python that has vLLM.
            model: As `student.model` in a configuration.
            served: The name that clients know the model by.
            port: 0 for any that is free.
            max_model_len: Longest prompt and answer together, in tokens.
            cache_gib: Memory for keys and values, in GiB.
            max_num_seqs: Answers written at once.

        Raises:
            InputError: If there is no such Python.
        """
        if not python.exists():
            raise InputError(f"{python}: no such file; `make install-vllm` makes an environment with vLLM")
        self.log = log
        self.port = port or _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._cache_gib = cache_gib
        # Its console script does not start in the CPU build. Eager, since compiling takes longer than a test.
        self._command = [str(python.absolute()), "-m", "vllm.entrypoints.openai.api_server"]
        self._command += ["--model", str(resolve_student(model)), "--served-model-name", served]
        self._command += ["--host", "127.0.0.1", "--port", str(self.port), "--enforce-eager"]
        self._command += ["--max-model-len", str(max_model_len), "--max-num-seqs", str(max_num_seqs)]
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self, seconds: float = START_SECONDS) -> Self:
        """Start the server and wait until it answers.

        Raises:
            RunError: If it ends before that or takes longer than `seconds`; the message has the end of its log.
        """
        # Short, since it holds sockets, whose paths may have no more than a hundred characters.
        self._folder = tempfile.TemporaryDirectory(prefix="vllm-", ignore_cleanup_errors=True)
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment(self._folder.name),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # one group with all that it starts, and out of Ctrl-C's way
                )
            self._wait_until_well(time.monotonic() + seconds)
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and all that it started; may be called twice."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its workers too, should it have left some
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def wait(self) -> None:
        """Wait until the server ends by itself.

        Raises:
            RunError: When it has.
        """
        if self._process is not None:
            code = self._process.wait()
            raise RunError(f"vLLM ended with exit code {code}; the end of {self.log}:\n{self.log_tail()}")

    def get(self, path: str) -> httpx.Response:
        """Ask the server something, such as `/version` or `/metrics`."""
        # No proxy stands between this machine and itself.
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10.0, trust_env=False)

    def log_tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _environment(self, folder: str) -> dict[str, str]:
        """Keep the server from the network, and its scratch files in a folder that goes with it."""
        own = {
            "VLLM_CPU_KVCACHE_SPACE": str(self._cache_gib),
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "VLLM_CACHE_ROOT": str(cache_folder() / "vllm"),  # a few kilobytes that make the next start faster
            "VLLM_CONFIG_ROOT": folder,
            "TMPDIR": folder,
        }
        return {**os.environ, **own}

    def _wait_until_well(self, end: float) -> None:
        while not self._is_well():
            died = self._process is None or self._process.poll() is not None
            if died or time.monotonic() > end:
                how = "ended before it answered" if died else "took too long to answer"
                raise RunError(f"vLLM {how}; the end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.2)

    def _is_well(self) -> bool:
        try:
            return self.get("/health").is_success
        except httpx.HTTPError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _end(signum: int, frame: FrameType | None) -> Any:
    """Leave by way of the context manager."""
    raise SystemExit(128 + signum)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--model", default=WHEEL_STUDENT, help="as student.model in a configuration")
    parser.add_argument("--served-model-name", default=SERVED, help="what clients call it")
    parser.add_argument("--python", type=Path, default=PYTHON, help="the Python that has vLLM")
    parser.add_argument("--log", type=Path, default=Path("vllm.log"), help="file for what the server prints")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    try:
        made = VLLMServer(
            given.log, python=given.python, model=given.model, served=given.served_model_name, port=given.port
        )
        with made as server:
            print(server.base_url, flush=True)
            server.wait()
    except (InputError, RunError) as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
